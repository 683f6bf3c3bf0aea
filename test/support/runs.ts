/** How often a test that draws lots is run: `ci` times, or `long` times in `npm run test:long`. */
export function runs(ci: number, long: number): number {
  return process.env['SLIPWAY_LONG'] === '1' ? long : ci;
}
