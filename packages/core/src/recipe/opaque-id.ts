/** What can be kept as it is: printable ASCII without spaces, quotes and backslashes. */
const OPAQUE_ID = /^[!#-[\]-~]{1,128}$/;

/** An identifier that may be stored as it is; undefined for text that is more than an identifier. */
export function opaqueId(id: string): string | undefined {
  return OPAQUE_ID.test(id) ? id : undefined;
}
