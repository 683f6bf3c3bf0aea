/** HTML that is safe by type: whatever is put into a template is escaped, unless a template made it. */

/** No other object can pass for one: the symbol stays here. */
export interface Markup {
  readonly [source]: string;
}
const source = Symbol('markup');

type Part = string | number | null | Markup | readonly Markup[];

/**
 * A template of HTML. Strings are escaped, for text and for attributes in double quotes; null is nothing.
 * Not for what stands inside `<script>` or `<style>`, nor for an attribute that runs code or names an address of strangers.
 */
export function markup(template: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const text = template.flatMap((literal, at) => [literal, told(parts[at] ?? null)]).join('');
  return { [source]: text };
}

export function sourceOf(page: Markup): string {
  return page[source];
}

/** @param between such as `, ` */
export function joined(all: readonly Markup[], between: string): readonly Markup[] {
  return all.flatMap((one, at) => (at === 0 ? [one] : [markup`${between}`, one]));
}

/** A sentence in which `such` words are code. */
export function sentence(text: string): Markup {
  // Every second piece stood between two marks; a last mark without its pair is a mark.
  const pieces = text.split(/`([^`]+)`/);
  return markup`${pieces.map((piece, at) => (at % 2 === 0 ? markup`${piece}` : markup`<code>${piece}</code>`))}`;
}

function told(part: Part): string {
  if (part === null) return '';
  if (typeof part === 'string' || typeof part === 'number')
    return String(part).replaceAll(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
  return source in part ? part[source] : part.map(sourceOf).join('');
}
