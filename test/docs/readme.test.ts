import { walkReadme } from '../support/readme-walk.ts';

describe('the README', function () {
  // Bakes of some seconds, as a person would watch them.
  this.timeout(180_000);

  it('starts a server, registers, deploys by canary, and shows a sick release going back', () =>
    walkReadme({}));
});
