// GraphQL Code Generator's client preset: the documents of this folder, and those that the documentation shows.
import { readFileSync } from 'node:fs';

export default {
  schema: '../schema.graphql',
  documents: ['documents.graphql', 'documented.graphql'],
  generates: {
    'gql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        strictScalars: true,
        scalars: JSON.parse(readFileSync(new URL('scalars.json', import.meta.url), 'utf8')),
        useTypeImports: true,
      },
    },
  },
  emitLegacyCommonJSImports: false,
};
