// Prints, as lines of JSON, each change between two schemas (paths of SDL files) that breaks a client.
import { readFileSync } from 'node:fs';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

const [before, after] = process.argv.slice(2).map((path) => buildSchema(readFileSync(path, 'utf8')));
for (const { criticality, message, path, type } of await diff(before, after)) {
  if (criticality.level === CriticalityLevel.Breaking) console.log(JSON.stringify({ path, type, message }));
}
