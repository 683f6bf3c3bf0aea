import { expect } from 'chai';
import { readConfig, readS3Place, s3PlaceOf, WrongSetting } from '../src/config.ts';

describe('settings', () => {
  function problem(environment: Record<string, string>): string {
    try {
      readConfig(environment);
    } catch (error) {
      if (error instanceof WrongSetting) return error.message;
      throw error;
    }
    throw new Error('nothing was wrong');
  }

  it('need nothing to be set, and take an empty variable as one that is not', () => {
    expect(readConfig({ PORT: '', SLIPWAY_RUNTIME: '' })).to.include({
      HOST: '127.0.0.1',
      PORT: 3000,
      SLIPWAY_DATA_DIR: './data',
      SLIPWAY_RUNTIME: 'simulated',
    });
  });

  const wrong: [name: string, value: string][] = [
    ['PORT', 'eighty'],
    ['PORT', '70000'],
    ['SLIPWAY_ADMIN_EMAIL', 'nobody'],
    ['SLIPWAY_ADMIN_PASSWORD', 'short'],
    ['SLIPWAY_RUNTIME', 'kubernetes'],
    ['SLIPWAY_SIMULATE', 'fine'],
    ['SLIPWAY_RATE_LIMITS', 'no'],
    ['SLIPWAY_ROLES', 'api,everything'],
    ['SLIPWAY_ROLES', 'api'],
    ['SLIPWAY_ROLES', 'projector, processes'],
    ['SLIPWAY_DRAIN_SECONDS', '301'],
    ['SLIPWAY_DRAIN_SECONDS', '5s'],
    ['CORS_ORIGINS', 'https://a.example.com/path'],
    ['CORS_ORIGINS', '*'],
    ['SLIPWAY_EGRESS_ALLOW', 'localhost'],
    ['SLIPWAY_EGRESS_ALLOW', '10.0.0.0/8,127/8'],
    ['SLIPWAY_TRUSTED_PROXIES', 'true'],
    ['LOG_LEVEL', 'loud'],
    ['EVENTSTORE_URL', 'http://localhost:2113'],
    ['EVENTSTORE_URL', 'localhost:2113'],
    ['MONGODB_URL', 'localhost:27017'],
    ['MONGODB_URL', 'mongodb:///slipway'],
    ['S3_ENDPOINT', 'localhost:9000'],
    ['S3_ENDPOINT', 'http://localhost:9000/bucket'],
    ['S3_ENDPOINT', 'ftp://localhost'],
    ['S3_BUCKET', 'Not_A_Bucket'],
    ['S3_SECRET_KEY', 'a-key-for-nothing'],
    ['SLIPWAY_DATADIR', './elsewhere'],
  ];
  for (const [name, value] of wrong) {
    it(`name ${name} when it is wrong (${value}), without showing a secret's value`, () => {
      expect(problem({ [name]: value })).to.match(new RegExp(`^${name}: `));
      if (/PASSWORD|SECRET/.test(name)) expect(problem({ [name]: value })).not.to.include(value);
    });
  }

  it('name all that is wrong at once', () => {
    expect(problem({ PORT: 'x', LOG_LEVEL: 'y' }).split('\n')).to.have.length(2);
  });

  it('take S3 whole or not at all, for a backup too', () => {
    const keys = { S3_ACCESS_KEY: 'name', S3_SECRET_KEY: 'secret' };
    const whole = { S3_ENDPOINT: 'https://s3.example.com', ...keys };
    const place = { endpoint: 'https://s3.example.com', bucket: 'slipway', region: 'us-east-1' };
    expect(readS3Place({ ...whole, PORT: 'not asked for' })).to.deep.equal({
      ...{ ...place, accessKey: 'name', secretKey: 'secret' },
    });
    expect(s3PlaceOf(readConfig(whole))).to.deep.equal(readS3Place(whole));
    expect(readS3Place({ S3_ENDPOINT: '' })).to.be.null;
    expect(s3PlaceOf(readConfig({}))).to.be.null;
    expect(problem({ S3_ENDPOINT: 'https://s3.example.com', S3_ACCESS_KEY: 'name' })).to.match(
      /^S3_SECRET_KEY: /,
    );
    expect(() => readS3Place(keys)).to.throw(WrongSetting, 'S3_ENDPOINT');
  });

  it('take addresses of a MongoDB of one server, of several and of a name for them', () => {
    for (const url of [
      'mongodb://localhost',
      'mongodb://u:p@a:1,b:2/x?replicaSet=r',
      'mongodb+srv://u:p@c.d',
    ])
      expect(readConfig({ MONGODB_URL: url }).MONGODB_URL).to.equal(url);
  });

  it('let one process do everything, named or not, in any order', () => {
    const all = ['api', 'projector', 'processes'];
    expect(readConfig({}).SLIPWAY_ROLES).to.deep.equal(all);
    expect(readConfig({ SLIPWAY_ROLES: 'processes, api,projector' }).SLIPWAY_ROLES).to.deep.equal(all);
  });

  it('refuse a folder of backups that would lack the vault', () => {
    const settings = { MONGODB_URL: 'mongodb://localhost', SLIPWAY_BACKUP_DIR: '/backups' };
    expect(problem(settings)).to.match(/^SLIPWAY_BACKUP_DIR: /);
  });

  it('refuse several processes on the embedded stores, and shared stores without shared keys', () => {
    const [alone] = problem({ SLIPWAY_ROLES: 'api' }).split('\n');
    expect(alone).to.include('EVENTSTORE_URL and MONGODB_URL');
    const shared = { EVENTSTORE_URL: 'esdb://localhost:2113?tls=false', MONGODB_URL: 'mongodb://localhost' };
    const problems = problem({ ...shared, SLIPWAY_ROLES: 'api' }).split('\n');
    for (const name of ['SLIPWAY_MASTER_KEY', 'JWT_SECRET'])
      expect(problems.filter((line) => line.startsWith(`${name}: `))).to.have.length(1);
    expect(problems.some((line) => line.startsWith('SLIPWAY_ROLES'))).to.equal(false);
  });

  it('refuse the simulated runtime in production', () => {
    expect(problem({ NODE_ENV: 'production' })).to.match(/^SLIPWAY_RUNTIME: /);
    const agents = readConfig({ NODE_ENV: 'production', SLIPWAY_RUNTIME: 'agent' });
    expect(agents.SLIPWAY_RUNTIME).to.equal('agent');
  });
});
