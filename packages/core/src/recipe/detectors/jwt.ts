import type { Detector } from './detector.ts';

/** `eyJ` is how the base64 of a JSON object begins (`{"`), and thus every JSON Web Token. */
const TOKEN = /(?<![\w+/-])eyJ[\w+/=-]{12,}(?:\.[\w+/=-]*){0,4}/g;

/** JSON Web Tokens, and any other JSON object in base64. */
export const jwt: Detector = {
  name: 'jwt',
  hint: /eyJ[\w+/=-]{12}/,
  judgesIdentifiers: true,
  mask: (text) => text.replace(TOKEN, '[token]'),
};
