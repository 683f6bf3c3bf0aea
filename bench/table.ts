/** One figure of a benchmark: ours beside a reference measured in the same run, since machines are noisy and ratios are not. */
export interface Row {
  readonly name: string;
  readonly ours: number;
  readonly reference: number;
  readonly unit: string;
  /** What is compared: `ours / reference`. */
  readonly ratio: number;
  readonly target: { readonly atLeast: number } | { readonly atMost: number } | null;
}

export function row(name: string, unit: string, ours: number, reference: number, target: Row['target']): Row {
  return { name, ours, reference, unit, ratio: ours / reference, target };
}

export function met({ ratio, target }: Row): boolean {
  if (target === null) return true;
  return 'atLeast' in target ? ratio >= target.atLeast : ratio <= target.atMost;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function targetText(target: Row['target']): string {
  if (target === null) return '';
  return 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
}

/** A Markdown table. */
export function table(rows: readonly Row[]): string {
  const number = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
  const lines = rows.map(
    (one) =>
      `| ${one.name} | ${number(one.ours)} | ${number(one.reference)} | ${one.unit} | ${one.ratio.toFixed(2)} | ${targetText(one.target)} | ${met(one) ? 'yes' : 'NO'} |`,
  );
  return [
    '| what | ours | reference | unit | ratio | target | met |',
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}
