import { expect } from 'chai';
import { TenantId, UserId } from '../../src/domain/ids.ts';
import { SecretName } from '../../src/domain/secret-reference.ts';
import {
  deleteSecret,
  findSecret,
  secrets,
  setSecret,
  type SecretChange,
  type SecretEvent,
} from '../../src/domain/secrets.ts';
import { spec } from '../support/given-when-then.ts';

const at = (minute: number) => new Date(Date.UTC(2030, 0, 1, 0, minute)).toISOString();
const change = (name: string, version: number): SecretChange => ({
  ...{ tenantId: TenantId.parse('acme'), name: SecretName.parse(name), version },
  ...{ by: UserId.parse('usr_1'), at: at(version) },
});
const set = (name: string, version: number): SecretEvent => ({
  type: 'SecretSet',
  data: change(name, version),
});
const deleted = (name: string, version: number): SecretEvent => ({
  ...{ type: 'SecretDeleted', data: change(name, version) },
});
const without = ({ version: _version, ...rest }: SecretChange) => rest;

describe('secrets of a tenant', () => {
  const given = (...events: readonly SecretEvent[]) => spec(secrets).given(...events);

  it('are set, and set again, each time under a new version', () => {
    given()
      .when((state) => setSecret(state, change('a', 1)))
      .then(set('a', 1));
    given(set('a', 1))
      .when((state) => setSecret(state, change('a', 2)))
      .then(set('a', 2));
  });

  it('are left alone by who comes with a version that is taken', () =>
    given(set('b', 1), set('b', 2))
      .when((state) => setSecret(state, change('a', 2)))
      .then());

  it('are deleted once, and may come back', () => {
    const once = given(set('a', 1));
    once.when((state) => deleteSecret(state, without(change('a', 2)))).then(deleted('a', 2));
    once.when((state) => deleteSecret(state, without(change('A', 2)))).thenRefused('NotFound', /no secret A/);
    given(set('a', 1), deleted('a', 2))
      .when((state) => deleteSecret(state, without(change('a', 3))))
      .thenRefused('NotFound', /no secret a/);
    given(set('a', 1), deleted('a', 2))
      .when((state) => setSecret(state, change('a', 3)))
      .then(set('a', 3));
  });

  it('are at most a hundred; those that are there can still be replaced', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => set(`s${index}`, index + 1));
    const full = given(...hundred);
    full.when((state) => setSecret(state, change('one-more', 101))).thenRefused('Conflict', /100/);
    full.when((state) => setSecret(state, change('s7', 101))).then(set('s7', 101));
  });

  it('are listed by name, and show nothing of those that are gone', () => {
    const { state } = given(set('b', 1), set('c', 2), set('a', 3), deleted('c', 4), set('b', 5));
    expect(state.secrets.map(({ name }) => name)).to.deep.equal(['a', 'b']);
    expect(state.version).to.equal(5);
    expect(findSecret(state, 'b')).to.deep.include({ createdAt: at(1) });
  });

  it('keep their last five versions, for deployments that were requested with them', () => {
    const { state } = given(...Array.from({ length: 8 }, (_, index) => set('a', index + 1)));
    const secret = findSecret(state, 'a')!;
    expect(secret.versions.map(({ version }) => version)).to.deep.equal([8, 7, 6, 5, 4]);
  });
});
