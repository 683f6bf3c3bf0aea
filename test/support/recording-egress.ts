/** The outgoing client without a network: it keeps what is sent, and answers as the test says. */
import type { Egress, EgressAnswer, EgressRequest } from '../../src/ports/egress.ts';

export interface RecordingEgress extends Egress {
  /** What was asked, the oldest first. */
  readonly requests: EgressRequest[];
  /** Default: 204 to everything. */
  answer: (request: EgressRequest) => Promise<EgressAnswer>;
}

export function createRecordingEgress(): RecordingEgress {
  const egress: RecordingEgress = {
    requests: [],
    answer: async () => ({ status: 204, body: new Uint8Array() }),
    objection: (url) => (URL.canParse(url) ? null : 'must be a URL'),
    request: async (request) => {
      egress.requests.push(request);
      return egress.answer(request);
    },
  };
  return egress;
}
