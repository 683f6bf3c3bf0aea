/** Compares an answer with a documented one: every documented field is there, with the same type. */
import { expect } from 'chai';

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/;

/** @param options.nullable names of fields that may be null until there is something to say */
export function expectShape(
  actual: unknown,
  documented: unknown,
  options: { readonly nullable?: readonly string[] } = {},
  path = '$',
): void {
  if (Array.isArray(documented)) {
    expect(actual, path).to.be.an('array');
    if (!Array.isArray(actual) || documented.length === 0) return;
    expect(actual, `${path} is empty, so it shows nothing`).not.to.be.empty;
    actual.forEach((one, index) => expectShape(one, documented[0], options, `${path}[${index}]`));
  } else if (typeof documented === 'object' && documented !== null) {
    expect(actual, path).to.be.an('object');
    for (const [name, value] of Object.entries(documented)) {
      expect(actual, path).to.have.property(name);
      const given = (actual as Record<string, unknown>)[name];
      if (given === null && options.nullable?.includes(name)) continue;
      expectShape(given, value, options, `${path}.${name}`);
    }
  } else {
    expect(typeof actual, `type of ${path}`).to.equal(typeof documented);
    if (typeof documented === 'string' && instant.test(documented)) expect(actual, path).to.match(instant);
  }
}
