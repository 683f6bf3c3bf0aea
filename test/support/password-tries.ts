import type { PasswordTries } from '../../src/core/password-tries.ts';

/** For tests of other things than how often. */
export const everyTry: PasswordTries = { attempt: (_one, isRight) => isRight() };
