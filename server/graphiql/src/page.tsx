import { DOC_EXPLORER_PLUGIN, DocExplorerStore } from "@graphiql/plugin-doc-explorer";
import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN, HistoryStore } from "@graphiql/plugin-history";
import { GraphiQLProvider, ToolbarButton, useGraphiQL } from "@graphiql/react";
import { GraphiQL, GraphiQLInterface } from "graphiql";
import type { GraphQLSchema } from "graphql";
import { useEffect, useMemo, useRef, useState } from "react";

import type { Config } from "./config";
import { connect } from "./fetcher";
import { Header } from "./header";
import { KeyIcon } from "./icons";
import { withFreshKeys } from "./idempotency";
import { recall, remember, type Identity } from "./identity";
import { storageWithoutHeaders } from "./storage";
import { queryOf, READY_MADE, variablesOf } from "./tabs";

const PLUGINS = [DOC_EXPLORER_PLUGIN, explorerPlugin({ showAttribution: false }), HISTORY_PLUGIN];
/** What the variables editor holds to be right for the schema's own scalars; a file's place is null. */
const SCALARS = { Upload: { type: "null" }, BigInt: { type: "integer" } } as const;

export function Page({ config }: { config: Config }) {
  const [identity, setIdentity] = useState<Identity | null>(recall);
  const [file, setFile] = useState<File | null>(null);
  const picked = useRef<{ schema: GraphQLSchema | null; file: File | null }>({ schema: null, file: null }).current;
  picked.file = file;

  const token = identity?.token ?? null;
  const connection = useMemo(() => connect(config, token, picked), [config, token, picked]);
  useEffect(() => connection.close, [connection]);

  const defaultTabs = useMemo(
    () =>
      READY_MADE.filter((tab) => tab.opened).map(({ name }) => ({
        query: queryOf(name),
        variables: variablesOf(name, config.timeZone),
      })),
    [config],
  );

  const signIn = (next: Identity | null) => {
    remember(next);
    setIdentity(next);
  };

  return (
    <GraphiQLProvider
      fetcher={connection.fetcher}
      storage={storageWithoutHeaders}
      shouldPersistHeaders={false}
      defaultTabs={defaultTabs}
      defaultTheme="light"
      plugins={PLUGINS}
      referencePlugin={DOC_EXPLORER_PLUGIN}
      customScalarSchemas={SCALARS}
      inputValueDeprecation
      schemaDescription
      onSchemaChange={(schema) => {
        picked.schema = schema;
      }}
    >
      <HistoryStore>
        <DocExplorerStore>
          <Header config={config} identity={identity} onSignIn={signIn} file={file} onPickFile={setFile} />
          <GraphiQLInterface defaultEditorToolsVisibility="variables" showPersistHeadersSettings={false}>
            <GraphiQL.Logo>{null}</GraphiQL.Logo>
            <GraphiQL.Toolbar>
              {({ prettify, merge, copy }) => (
                <>
                  <FreshKeyButton />
                  {prettify}
                  {merge}
                  {copy}
                </>
              )}
            </GraphiQL.Toolbar>
          </GraphiQLInterface>
        </DocExplorerStore>
      </HistoryStore>
    </GraphiQLProvider>
  );
}

function FreshKeyButton() {
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  return (
    <ToolbarButton
      label="New idempotency key in the variables"
      onClick={() => {
        if (variableEditor) variableEditor.setValue(withFreshKeys(variableEditor.getValue()));
      }}
    >
      <KeyIcon className="graphiql-toolbar-icon" />
    </ToolbarButton>
  );
}
