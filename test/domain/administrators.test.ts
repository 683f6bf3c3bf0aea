import { expect } from 'chai';
import fc from 'fast-check';
import { administrators, countAdministrator, uncountAdministrator } from '../../src/domain/administrators.ts';
import type { AdministratorEvent, Administrators } from '../../src/domain/administrators.ts';
import { UserId } from '../../src/domain/ids.ts';
import { isRefusal, type Decision } from '../../src/domain/refusal.ts';

const [ada, bob] = ['usr_ada', 'usr_bob'].map((id) => UserId.parse(id)) as [UserId, UserId];

function after(state: Administrators, decision: Decision<AdministratorEvent>): Administrators {
  if (isRefusal(decision)) throw new Error(decision.message);
  return decision.reduce(administrators.evolve, state);
}

describe('the administrators who count', () => {
  const one = after(administrators.initial, countAdministrator(administrators.initial, ada, 0));
  const two = after(one, countAdministrator(one, bob, 0));

  it('are counted once', () => {
    expect([...two.counted]).to.deep.equal([ada, bob]);
    expect(countAdministrator(two, ada, 0)).to.deep.equal([]);
  });

  it('never go as the last one', () => {
    expect(uncountAdministrator(one, ada, 0)).to.include({ refused: 'Conflict' });
    expect(uncountAdministrator(administrators.initial, ada, 0)).to.include({ refused: 'Conflict' });
    const left = after(two, uncountAdministrator(two, ada, 0));
    expect([...left.counted]).to.deep.equal([bob]);
    expect(uncountAdministrator(left, bob, 0)).to.include({ refused: 'Conflict' });
    expect(uncountAdministrator(left, ada, 0), 'a repetition').to.deep.equal([]);
  });

  it('are not counted by who comes too late', () => {
    const left = after(one, uncountAdministrator(one, bob, 3));
    expect(countAdministrator(left, bob, 3)).to.deep.equal([]);
    expect(countAdministrator(left, bob, 4)).to.have.length(1);
  });

  it('are users who are administrators, however commands overlap and stop half-way', () => {
    const users = ['usr_1', 'usr_2', 'usr_3'].map((id) => UserId.parse(id));
    const act = fc.record({ who: fc.nat(2), worker: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 80 }), (acts) => {
        let state = after(administrators.initial, countAdministrator(administrators.initial, users[0]!, 0));
        const admins = users.map((_, index) => ({ revision: 0, is: index === 0 }));
        /** What each of four commands is about to do next; whoever is given another act dies half-way. */
        const pending = new Map<number, { who: number; seen: number; next: 'change' | 'count' }>();
        for (const { who, worker } of acts) {
          const begun = pending.get(worker);
          pending.delete(worker);
          if (begun?.who !== who) {
            const { is, revision: seen } = admins[who]!;
            if (is) {
              const decision = uncountAdministrator(state, users[who]!, seen);
              if (isRefusal(decision)) continue;
              state = after(state, decision);
            }
            pending.set(worker, { who, seen, next: 'change' });
          } else if (begun.next === 'count') {
            state = after(state, countAdministrator(state, users[who]!, begun.seen));
          } else if (begun.seen === admins[who]!.revision) {
            const { is, revision } = admins[who]!;
            admins[who] = { is: !is, revision: revision + 1 };
            if (!is) pending.set(worker, { who, seen: revision + 1, next: 'count' });
          }
          for (const [index, { is }] of admins.entries())
            if (state.counted.has(users[index]!)) expect(is).to.be.true;
          expect(state.counted.size).to.be.at.least(1);
        }
      }),
    );
  });
});
