const WORD = /[A-Za-z0-9_]/;

/** A byte that goes on with a word; beyond ASCII, a part of a letter. */
function isWordByte(byte: number | undefined): boolean {
  return byte !== undefined && (byte >= 0x80 || WORD.test(String.fromCharCode(byte)));
}

/** The ways in which an id is written down. */
function formsOf(id: string): Buffer[] {
  const json = JSON.stringify(id).slice(1, -1);
  const ascii = json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [...new Set([id, json, ascii, encodeURIComponent(id)])].map((form) => Buffer.from(form));
}

/** Compiles the search for an id in bytes that nobody can read: as a word of its own, in the ways it may be written. */
export function compileMentions(id: string): (bytes: Buffer) => boolean {
  const forms = formsOf(id);
  return (bytes) =>
    forms.some((form) => {
      for (let at = bytes.indexOf(form); at >= 0; at = bytes.indexOf(form, at + 1)) {
        const end = at + form.length;
        const goesOn = isWordByte(form.at(-1)) && isWordByte(bytes[end]);
        const beganBefore = isWordByte(form[0]) && isWordByte(at === 0 ? undefined : bytes[at - 1]);
        if (!goesOn && !beganBefore) return true;
      }
      return false;
    });
}
