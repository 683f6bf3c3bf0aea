/** Structured lines for the operator: fields first, then what happened in words. pino fits as it is. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A log whose lines all carry `bindings`. */
  child(bindings: object): Log;
}
