import { expect } from 'chai';
import { redacted, redactedChange } from '../../src/audit/redaction.ts';

describe('what nobody reads in the past', () => {
  it('is what was sealed, wherever it stands', () => {
    expect(redacted({ email: 'sealed:v1:AAA', list: [{ name: 'sealed:v1:BBB' }], open: 'sealed' })).to.eql({
      ...{ email: '[sealed]', list: [{ name: '[sealed]' }], open: 'sealed' },
    });
  });

  it('is what stands for the body of a request', () => {
    expect(redacted({ bodyHash: 'abc', firstBodyHash: 'def', configurationHash: 'kept' })).to.eql({
      ...{ bodyHash: '[sealed]', firstBodyHash: '[sealed]', configurationHash: 'kept' },
    });
  });

  it('is a credential that somebody wrote into a configuration, but no reference to a secret', () => {
    const configuration = {
      ...{ apiKey: 'sk_live', url: 'https://a.example.com', deep: { db_password: 'p', tokens: ['t'] } },
      secret: '${secret:stripe}',
    };
    expect(redacted({ request: { configuration }, token: 'a word' })).to.eql({
      request: {
        configuration: {
          ...{ apiKey: '[hidden]', url: 'https://a.example.com' },
          ...{ deep: { db_password: '[hidden]', tokens: ['[hidden]'] }, secret: '${secret:stripe}' },
        },
      },
      token: 'a word',
    });
  });

  it('is the login in a URL', () => {
    expect(redacted({ url: 'https://user:pass@hooks.example.com/x' })).to.eql({
      url: 'https://[hidden]@hooks.example.com/x',
    });
  });

  it('is as well hidden in a change, which is still told', () => {
    expect(redactedChange({ field: 'contactEmail', before: 'sealed:1', after: 'sealed:2' })).to.eql({
      ...{ field: 'contactEmail', before: '[sealed]', after: '[sealed]' },
    });
    expect(redactedChange({ field: 'request.configuration.apiKey', after: 'sk' })).to.eql({
      ...{ field: 'request.configuration.apiKey', after: '[hidden]' },
    });
    expect(redactedChange({ field: 'request.configuration', after: { apiKey: 'sk' } })).to.eql({
      ...{ field: 'request.configuration', after: { apiKey: '[hidden]' } },
    });
  });
});
