import { expect } from 'chai';
import { emailReservation, reserveEmail } from '../../src/domain/email-reservation.ts';
import type { EmailReservationEvent } from '../../src/domain/email-reservation.ts';
import { TenantId, UserId } from '../../src/domain/ids.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import type { Decision } from '../../src/domain/refusal.ts';
import { abandonCreation, createUser, Email, user } from '../../src/domain/user.ts';
import type { NewUser, UserEvent } from '../../src/domain/user.ts';

const ada: NewUser = {
  userId: UserId.parse('usr_ada'),
  tenantId: TenantId.parse('acme'),
  role: 'TenantAdmin',
  email: 'sealed:v1:x',
  name: null,
};
const created: UserEvent = { type: 'UserCreated', data: ada };
const abandoned: UserEvent = { type: 'UserCreationAbandoned', data: {} };

function refused(decision: Decision<unknown>): string | null {
  return isRefusal(decision) ? decision.refused : null;
}

describe('a user', () => {
  const given = (...events: UserEvent[]) => events.reduce(user.evolve, user.initial);

  it('is created once', () => {
    expect(createUser(given(), ada)).to.deep.equal([created]);
    expect(createUser(given(created), ada)).to.deep.equal([]);
    const { tenantId, role, email, name } = ada;
    const known = { status: 'Active', tenantId, role, email, name, apiKeys: [] };
    expect(given(created)).to.deep.equal(known);
  });

  it('crosses tenants only as a member of the platform', () => {
    expect(refused(createUser(given(), { ...ada, role: 'PlatformAdmin' }))).to.equal('Invalid');
    const admin: NewUser = { ...ada, role: 'PlatformAdmin', tenantId: TenantId.parse('platform') };
    expect(createUser(given(), admin)).to.deep.equal([{ type: 'UserCreated', data: admin }]);
  });

  it('never comes to be once its creation was abandoned', () => {
    expect(abandonCreation(given())).to.deep.equal([abandoned]);
    expect(abandonCreation(given(abandoned))).to.deep.equal([]);
    expect(refused(createUser(given(abandoned), ada))).to.equal('Conflict');
  });

  it('is not abandoned once it is there', () => {
    expect(refused(abandonCreation(given(created)))).to.equal('Conflict');
  });

  it('holds no address or name that is not sealed', () => {
    const { data } = user.events['UserCreated']!;
    expect(data.safeParse(ada).success).to.be.true;
    expect(data.safeParse({ ...ada, email: 'ada@example.com' }).success).to.be.false;
    expect(data.safeParse({ ...ada, name: 'Ada' }).success).to.be.false;
  });
});

describe('an e-mail address', () => {
  const given = (...events: EmailReservationEvent[]) =>
    events.reduce(emailReservation.evolve, emailReservation.initial);
  const [one, two, three] = ['usr_1', 'usr_2', 'usr_3'].map((id) => UserId.parse(id)) as [
    UserId,
    UserId,
    UserId,
  ];
  const reserved = (userId: UserId) => ({ type: 'EmailReserved', data: { userId } }) as const;
  const released = (userId: UserId) => ({ type: 'EmailReleased', data: { userId } }) as const;

  it('is reserved for one user', () => {
    expect(reserveEmail(given(), one, null)).to.deep.equal([reserved(one)]);
    expect(reserveEmail(given(reserved(one)), one, null)).to.deep.equal([]);
    expect(refused(reserveEmail(given(reserved(one)), two, null))).to.equal('Conflict');
  });

  it('passes on from a holder who was abandoned, and from no other', () => {
    expect(reserveEmail(given(reserved(one)), two, one)).to.deep.equal([released(one), reserved(two)]);
    expect(refused(reserveEmail(given(reserved(three)), two, one))).to.equal('Conflict');
    expect(given(reserved(one), released(one), reserved(two))).to.deep.equal({ holder: two });
  });

  it('is compared without case and surrounding space', () => {
    expect(Email.parse('  Ada@Example.COM ')).to.equal('ada@example.com');
    for (const wrong of ['', 'ada', '@example.com', 'a b@example.com', `${'a'.repeat(250)}@example.com`]) {
      expect(Email.safeParse(wrong).success, wrong).to.be.false;
    }
  });
});
