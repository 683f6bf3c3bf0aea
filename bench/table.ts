/** One figure of a benchmark: ours beside a reference measured in the same run, since machines are noisy and ratios are not. */
export interface Row {
  readonly name: string;
  readonly ours: number;
  /** Null where there is nothing to compare with. */
  readonly reference: number | null;
  readonly unit: string;
  /** What is compared with the target: `ours / reference`, or what {@link compared} makes of many. */
  readonly ratio: number | null;
  readonly target: { readonly atLeast: number } | { readonly atMost: number } | null;
}

export function row(name: string, unit: string, ours: number, reference: number, target: Row['target']): Row {
  return { name, ours, reference, unit, ratio: ours / reference, target };
}

/** Of rounds in which ours and the reference took turns: medians, and the median of the rounds' own ratios. */
export function compared(
  name: string,
  unit: string,
  ours: readonly number[],
  reference: readonly number[],
  target: Row['target'],
): Row {
  const ratio = median(ours.map((value, round) => value / (reference[round] ?? Number.NaN)));
  return { name, ours: median(ours), reference: median(reference), unit, ratio, target };
}

/** Only watched: there is no reference. */
export function alone(name: string, unit: string, ours: readonly number[]): Row {
  return { name, ours: median(ours), reference: null, unit, ratio: null, target: null };
}

export function met({ ratio, target }: Row): boolean {
  if (target === null || ratio === null) return true;
  return 'atLeast' in target ? ratio >= target.atLeast : ratio <= target.atMost;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** @param share 0.99 for the p99 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
}

function targetText(target: Row['target']): string {
  if (target === null) return '';
  return 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
}

/** A Markdown table. */
export function table(rows: readonly Row[]): string {
  const number = (value: number | null): string => {
    if (value === null) return '';
    return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
  };
  const cells = rows.map((one) => [
    one.name,
    number(one.ours),
    number(one.reference),
    one.unit,
    one.ratio?.toFixed(2) ?? '',
    targetText(one.target),
    one.target === null ? '' : met(one) ? 'yes' : 'NO',
  ]);
  return [
    '| what | ours | reference | unit | ratio | target | met |',
    '|---|--:|--:|---|--:|---|---|',
    ...cells.map((line) => `| ${line.join(' | ')} |`),
  ].join('\n');
}
