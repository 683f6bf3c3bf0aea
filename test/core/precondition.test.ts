import { expect } from 'chai';
import { conditional, type Precondition } from '../../src/core/precondition.ts';
import { isRefusal, refuse, type RefusalKind } from '../../src/domain/refusal.ts';

const events = [{ type: 'Renamed' }];
const seen = (...versions: string[]): Precondition => ({ holds: 'among', versions });

/** @returns what is decided, or the kind of the refusal */
function decided(
  precondition: Precondition | null,
  current: string | number | null,
  decision = events as object,
) {
  const asked = precondition ? { precondition } : {};
  const held = conditional(asked, current, decision as typeof events);
  return isRefusal(held) ? held.refused : held;
}

describe('a decision on a condition', () => {
  it('is as it is without one', () => {
    expect(decided(null, 7)).to.equal(events);
    expect(decided(null, null)).to.equal(events);
  });

  it('holds while what was seen is what is there', () => {
    expect(decided(seen('7'), 7)).to.equal(events);
    expect(decided(seen('6', '7'), 7)).to.equal(events);
    expect(decided(seen('ver_1-0'), 'ver_1-0')).to.equal(events);
    expect(decided({ holds: 'exists' }, 0)).to.equal(events);
    expect(decided({ holds: 'absent' }, null)).to.equal(events);
  });

  it('is refused when it is not', () => {
    for (const [precondition, current] of [
      ...[
        [seen('7'), 8] as const,
        [seen('7'), 6] as const,
        [seen('07'), 7] as const,
        [seen('7.0'), 7] as const,
      ],
      ...[[seen(), 7] as const, [seen('7'), null] as const, [seen('null'), null] as const],
      ...[[{ holds: 'exists' }, null] as const, [{ holds: 'absent' }, 0] as const],
    ])
      expect(decided(precondition, current), JSON.stringify([precondition, current])).to.equal(
        'PreconditionFailed',
      );
  });

  it('is refused also where nothing is left to do: the caller has not seen what is there', () => {
    expect(decided(seen('7'), 8, [])).to.equal('PreconditionFailed');
  });

  it('comes after what the caller may not see or do, and before what is wrong with the change', () => {
    const refused = (kind: RefusalKind) => decided(seen('7'), 8, refuse(kind, 'No'));
    for (const kind of ['NotFound', 'Forbidden'] as const) expect(refused(kind)).to.equal(kind);
    for (const kind of ['Conflict', 'Invalid', 'DependencyConflict'] as const)
      expect(refused(kind)).to.equal('PreconditionFailed');
    expect(decided(seen('8'), 8, refuse('Conflict', 'No'))).to.equal('Conflict');
  });

  it('says how it is now, and the way out', () => {
    const said = (precondition: Precondition, current: number | null) => {
      const held = conditional({ precondition }, current, events);
      if (!isRefusal(held)) throw new Error('was not refused');
      return [held.details[0]?.field, held.message];
    };
    expect(said(seen('7'), 8)).to.deep.equal([
      'If-Match',
      'It is not as you have seen it: its version is 8 by now. Read it again, and send the ETag of that answer',
    ]);
    expect(said({ holds: 'exists' }, null)[1]).to.match(/without If-Match$/);
    expect(said({ holds: 'absent' }, 3)).to.deep.equal([
      'If-None-Match',
      'It is there already, in version 3: to replace it, send If-Match in place of If-None-Match',
    ]);
  });
});
