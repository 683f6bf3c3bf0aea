/** What the routes of the past are grouped by in the API reference. */
export const auditTag = 'Audit';
