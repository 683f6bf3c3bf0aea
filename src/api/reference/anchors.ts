/** Where things stand on the page. Operations go by their own names, which have no hyphen: `/docs#createPlugin`. */
export const anchors = {
  operation: (id: string): string => id,
  group: (name: string): string => `tag-${worded(name)}`,
  answer: (name: string): string => `answer-${worded(name)}`,
  header: (name: string): string => `header-${worded(name)}`,
  schema: (name: string): string => `schema-${worded(name)}`,
};

/** What stands in an address without being encoded. */
function worded(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]+/g, '-');
}
