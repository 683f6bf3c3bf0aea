import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  { ignores: ['node_modules', 'data', 'coverage', '**/*.cjs', 'test/client'] },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // The events of an aggregate are a union: a switch that forgets one is a bug, not a style.
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Ports are asynchronous; their simplest adapters need not be.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // What browsers run is checked against their types instead.
    files: ['src/api/reference/assets/*.js'],
    rules: { 'no-undef': 'off' },
  },
  {
    // A test is run or deleted. Only a store that was not given may leave tests pending, and says so.
    files: ['test/**'],
    ignores: ['test/support/stores.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'MemberExpression[property.name="skip"]', message: 'Run the test, or delete it.' },
        {
          selector: 'CallExpression[callee.name=/^x(it|describe)$/]',
          message: 'Run the test, or delete it.',
        },
        {
          selector: 'CallExpression[callee.name="it"][arguments.length=1]',
          message: 'A test without a body is not run.',
        },
      ],
    },
  },
  {
    // chai asserts by property, and a test may claim to know that something is there: it fails when it is not.
    files: ['test/**', 'bench/**'],
    rules: {
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
