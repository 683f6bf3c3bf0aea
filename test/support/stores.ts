/** Suites that need a server which a variable names; without it they say that they were not run. `npm run test:stores` runs them all. */

export const storeVariables = ['EVENTSTORE_URL', 'MONGODB_URL', 'S3_ENDPOINT'] as const;
export type StoreVariable = (typeof storeVariables)[number];

/** And a shell command that ends the event store's server at once and starts it again, on the same data: for what only that shows. */
export type TestVariable = StoreVariable | 'EVENTSTORE_RESTART';

/** What the variable says; null: it is not set, or empty. */
export function given(variable: TestVariable): string | null {
  return process.env[variable] || null;
}

/** @param suite describes the tests; it is called only where the variable is given */
export function withStore(variable: TestVariable, title: string, suite: (value: string) => void): void {
  const value = given(variable);
  describe(title, () => {
    if (value !== null) suite(value);
    // A test without a body is pending: the reporter lists it, and counts it as skipped.
    else it(`not run: ${variable} names no ${variable === 'EVENTSTORE_RESTART' ? 'command' : 'server'}`);
  });
}
