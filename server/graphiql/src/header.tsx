import { Dialog, DropdownMenu, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { Fragment, useEffect, useRef, useState, type FormEvent } from "react";

import { loadConfig, type Config } from "./config";
import { BookIcon, CloseIcon, FileIcon, Mark } from "./icons";
import { identityOf, type Identity } from "./identity";
import { GROUPS, queryOf, READY_MADE, variablesOf } from "./tabs";

interface Props {
  config: Config;
  identity: Identity | null;
  onSignIn(identity: Identity | null): void;
  file: File | null;
  onPickFile(file: File | null): void;
}

export function Header({ config, identity, onSignIn, file, onPickFile }: Props) {
  return (
    <header className="haru-header">
      <div className="haru-brand">
        <Mark />
        <h1>haru</h1>
      </div>
      <div className="haru-tools">
        <Examples timeZone={config.timeZone} />
        <FilePicker file={file} onPick={onPickFile} />
      </div>
      <div className="haru-sign-in" role="group" aria-label="Sign in">
        {config.demoTokens.length > 0 && (
          <div className="haru-demo">
            {config.demoTokens.map(({ label }) => (
              <button
                key={label}
                type="button"
                aria-pressed={identity?.label === label}
                title={`Sign in as ${label.toLowerCase()}`}
                onClick={() => void demoIdentity(label).then(onSignIn)}
              >
                <Short label={label} />
              </button>
            ))}
          </div>
        )}
        <TokenDialog onSignIn={onSignIn} />
      </div>
      <Who identity={identity} onSignOut={() => onSignIn(null)} />
    </header>
  );
}

/** "Demo player"; on the smallest screens only "player" is seen. */
function Short({ label }: { label: string }) {
  const [first, ...rest] = label.split(" ");
  return (
    <span>
      <span className="haru-optional">{first} </span>
      {rest.join(" ")}
    </span>
  );
}

/** A demo account with a token of now: those that came with the page run out. */
async function demoIdentity(label: string): Promise<Identity | null> {
  const found = (await loadConfig()).demoTokens.find((one) => one.label === label);
  return found ? identityOf(found.token, label) : null;
}

/** Opens a ready-made operation in a tab of its own, or goes to it where it is open already. */
function Examples({ timeZone }: { timeZone: string | undefined }) {
  const { addTab, changeTab } = useGraphiQLActions();
  const { tabs, queryEditor, variableEditor } = useGraphiQL(({ tabs, queryEditor, variableEditor }) => ({
    tabs,
    queryEditor,
    variableEditor,
  }));

  const open = (name: string) => {
    const query = queryOf(name);
    const index = tabs.findIndex((tab) => tab.query === query);
    if (index >= 0) {
      changeTab(index);
      return;
    }
    addTab();
    queryEditor?.setValue(query);
    variableEditor?.setValue(variablesOf(name, timeZone));
  };

  return (
    <DropdownMenu>
      <DropdownMenu.Button className="haru-button" aria-label="Ready-made operations">
        <BookIcon />
        <span>Ready-made</span>
      </DropdownMenu.Button>
      <DropdownMenu.Content align="start" className="haru-menu">
        {GROUPS.map((group) => (
          <Fragment key={group}>
            <div className="haru-menu-group">{group}</div>
            {READY_MADE.filter((tab) => tab.group === group).map(({ name, title }) => (
              <DropdownMenu.Item key={name} onSelect={() => open(name)}>
                {title}
              </DropdownMenu.Item>
            ))}
          </Fragment>
        ))}
      </DropdownMenu.Content>
    </DropdownMenu>
  );
}

function FilePicker({ file, onPick }: { file: File | null; onPick(file: File | null): void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <div className={file ? "haru-file picked" : "haru-file"}>
      <button
        type="button"
        className="haru-button"
        title={file ? `${file.name} is sent where an upload's variable is null` : "Pick a file to upload"}
        onClick={() => input.current?.click()}
      >
        <FileIcon />
        <span>{file ? file.name : "File"}</span>
      </button>
      {file && (
        <button type="button" className="haru-icon-button" aria-label="Remove the file" onClick={() => onPick(null)}>
          <CloseIcon />
        </button>
      )}
      <input
        ref={input}
        type="file"
        hidden
        aria-label="File to upload"
        onChange={(event) => {
          const chosen = event.currentTarget.files?.[0];
          if (chosen) onPick(chosen);
          event.currentTarget.value = ""; // so that the same file, edited, can be picked again
        }}
      />
    </div>
  );
}

function TokenDialog({ onSignIn }: { onSignIn: Props["onSignIn"] }) {
  const [open, setOpen] = useState(false);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const token = String(new FormData(event.currentTarget).get("token") ?? "");
    if (!token.trim()) return;
    onSignIn(identityOf(token));
    setOpen(false);
  };
  return (
    <>
      <button type="button" className="haru-button" title="Sign in with a token" onClick={() => setOpen(true)}>
        Token…
      </button>
      <Dialog open={open} onOpenChange={setOpen}>
        <div className="graphiql-dialog-header">
          <Dialog.Title className="graphiql-dialog-title">Sign in with a token</Dialog.Title>
          <Dialog.Close />
        </div>
        <form className="haru-token" onSubmit={submit}>
          <Dialog.Description>
            It is sent as <code>Authorization: Bearer …</code> with every request, and forgotten when this browser tab is
            closed.
          </Dialog.Description>
          <textarea
            name="token"
            rows={5}
            aria-label="Access token"
            placeholder="eyJhbGciOiJIUzI1NiIs…"
            autoComplete="off"
            autoFocus
            spellCheck={false}
          />
          <button type="submit" className="haru-primary">
            Sign in
          </button>
        </form>
      </Dialog>
    </>
  );
}

function Who({ identity, onSignOut }: { identity: Identity | null; onSignOut(): void }) {
  const expired = useExpired(identity?.expiresAt ?? null);
  if (!identity) {
    return (
      <div className="haru-who" role="status">
        <span className="haru-dot" />
        <span className="haru-name">Not signed in</span>
      </div>
    );
  }
  const until = identity.expiresAt && new Date(identity.expiresAt).toLocaleTimeString([], { timeStyle: "short" });
  const details = [identity.role, identity.subject && `player ${identity.subject}`, until && `until ${until}`];
  return (
    <div className={expired ? "haru-who expired" : "haru-who signed-in"} role="status">
      <span className="haru-dot" />
      <span className="haru-name" title={details.filter(Boolean).join(" · ")}>
        {identity.label}
        <small>{expired ? "token expired" : (identity.role ?? "")}</small>
      </span>
      <button type="button" className="haru-icon-button" aria-label="Sign out" title="Sign out" onClick={onSignOut}>
        <CloseIcon />
      </button>
    </div>
  );
}

function useExpired(expiresAt: number | null): boolean {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (expiresAt === null) return;
    const timer = setInterval(() => setNow(Date.now()), 15_000);
    return () => clearInterval(timer);
  }, [expiresAt]);
  return expiresAt !== null && expiresAt <= Math.max(now, Date.now());
}
