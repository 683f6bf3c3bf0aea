/** Suites that need a server which a variable names; without it they say that they were not run. `npm run test:stores` runs them all. */

export const storeVariables = ['EVENTSTORE_URL', 'MONGODB_URL', 'S3_ENDPOINT'] as const;
export type StoreVariable = (typeof storeVariables)[number];

/**
 * What some tests need besides: a shell command that ends the event store's server at once and starts it again, on the same data;
 * and a second event store, for a platform that lives in MongoDB, since a log holds one platform and can hardly be emptied.
 */
export type TestVariable = StoreVariable | 'EVENTSTORE_RESTART' | 'EVENTSTORE_OTHER_URL';

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

/** Settings of a server that a test starts: nothing but embedded stores, whatever is given to the tests. Empty is not set. */
export const embedded: Readonly<
  Record<StoreVariable | 'S3_ACCESS_KEY' | 'S3_SECRET_KEY' | 'S3_BUCKET' | 'S3_REGION', ''>
> = {
  ...{ EVENTSTORE_URL: '', MONGODB_URL: '', S3_ENDPOINT: '' },
  ...{ S3_ACCESS_KEY: '', S3_SECRET_KEY: '', S3_BUCKET: '', S3_REGION: '' },
};
