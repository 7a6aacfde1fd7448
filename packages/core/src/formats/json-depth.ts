const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Whether objects and arrays stand more than `max` deep within each other in a JSON text. Looks at each sign once. */
export function nestsDeeper(json: string, max: number): boolean {
  let depth = 0;
  let isText = false;
  for (let index = 0; index < json.length; index++) {
    const code = json.charCodeAt(index);
    if (code === QUOTE) isText = !isText;
    else if (isText && code === BACKSLASH) index++;
    else if (!isText && isOpening(code) && ++depth > max) return true;
    else if (!isText && isClosing(code)) depth--;
  }
  return false;
}

function isOpening(code: number): boolean {
  return code === 0x7b || code === 0x5b;
}

function isClosing(code: number): boolean {
  return code === 0x7d || code === 0x5d;
}
