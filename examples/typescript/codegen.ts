import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../../schema.graphql',
  documents: 'src/play.ts',
  generates: {
    'src/gql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        // Every scalar of the schema: with strictScalars one that is missing here is an error, not `any`.
        strictScalars: true,
        scalars: {
          Date: 'string',
          DateTime: 'string',
          BigInt: 'number',
          JSON: 'unknown',
          Upload: 'File',
        },
        enumsAsTypes: true,
        // A later version may add a feature or a reward: the compiler asks what happens then.
        futureProofEnums: true,
        useTypeImports: true,
      },
    },
  },
  emitLegacyCommonJSImports: false,
};

export default config;
