import {
  isInputObjectType,
  isListType,
  isNonNullType,
  parse,
  typeFromAST,
  type DefinitionNode,
  type GraphQLInputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type TypeNode,
} from "graphql";

/**
 * The operation that is asked for, read out of what is sent: what the page knows of its editor (`documentAST`,
 * `operationName`) lags behind, and shortly after another tab was opened it is still the one of the tab before.
 */
export function operationOf(query: string, name: string | null | undefined): OperationDefinitionNode | undefined {
  const operations = definitionsOf(query).filter(
    (definition): definition is OperationDefinitionNode => definition.kind === "OperationDefinition",
  );
  return operations.find((operation) => operation.name?.value === name) ?? (operations.length === 1 ? operations[0] : undefined);
}

/** Nothing of what cannot be read: the server says what is wrong with it. */
function definitionsOf(query: string): readonly DefinitionNode[] {
  try {
    return parse(query, { noLocation: true }).definitions;
  } catch {
    return [];
  }
}

/**
 * The places among an operation's variables that want a file and hold null, e.g. `variables.input.file`, in the
 * notation of the GraphQL multipart request specification.
 */
export function emptyUploads(schema: GraphQLSchema, operation: OperationDefinitionNode, variables: unknown): string[] {
  const values = asRecord(variables);
  return (operation.variableDefinitions ?? []).flatMap(({ variable, type }) => {
    const inputType = typeFromAST(schema, type as Extract<TypeNode, { kind: "NamedType" }>) as GraphQLInputType | undefined;
    const name = variable.name.value;
    return inputType ? emptyIn(inputType, values[name], `variables.${name}`) : [];
  });
}

function emptyIn(type: GraphQLInputType, value: unknown, path: string): string[] {
  if (isNonNullType(type)) return emptyIn(type.ofType, value, path);
  if (isListType(type)) {
    const items: unknown[] = Array.isArray(value) ? value : [];
    return items.flatMap((item, index) => emptyIn(type.ofType, item, `${path}.${index}`));
  }
  if (isInputObjectType(type)) {
    if (value === null || value === undefined) return [];
    const values = asRecord(value);
    return Object.values(type.getFields()).flatMap((field) => emptyIn(field.type, values[field.name], `${path}.${field.name}`));
  }
  return type.name === "Upload" && (value === null || value === undefined) ? [path] : [];
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** The body of a GraphQL multipart request: the operation with null at `path`, and the file that belongs there. */
export function multipartBody(request: Record<string, unknown>, path: string, file: File): FormData {
  const body = new FormData();
  body.append("operations", JSON.stringify(withNull(request, path.split("."))));
  body.append("map", JSON.stringify({ 0: [path] }));
  body.append("0", file, file.name);
  return body;
}

function withNull(value: unknown, [head, ...rest]: string[]): unknown {
  if (head === undefined) return null;
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === head ? withNull(item, rest) : (item as unknown)));
  const record = asRecord(value);
  return { ...record, [head]: withNull(record[head], rest) };
}
