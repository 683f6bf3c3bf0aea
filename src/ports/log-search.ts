/** What a search of the log finds, said once in code: for events that were read otherwise, and for stores without a language of their own. */
import type { LogSearch, RecordedEvent } from './event-store.ts';

export function fits(where: LogSearch, { id, type, stream, data, metadata }: RecordedEvent): boolean {
  const { tenant, actor, correlationId, causationId } = metadata;
  const equal = [
    [where.id, id],
    [where.tenant, tenant],
    [where.actor, actor.id],
    [where.correlationId, correlationId],
    [where.causationId, causationId],
  ] as const;
  const { types, notTypes, about, anyId } = where;
  return (
    equal.every(([wanted, actual]) => wanted === undefined || wanted === actual) &&
    (types === undefined || types.includes(type)) &&
    !notTypes?.includes(type) &&
    (anyId === undefined || [id, correlationId, causationId].includes(anyId)) &&
    (about === undefined ||
      [`-${about}`, `.${about}`].some((end) => stream.endsWith(end)) ||
      JSON.stringify(data).includes(JSON.stringify(about)))
  );
}
