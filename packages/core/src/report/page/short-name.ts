/** A name of at most `length` characters, with its middle left out where it is longer: its ends tell names apart. */
export function shortName(name: string, length: number): string {
  const characters = [...name.replace(/[\p{C}\s]/gu, '·')];
  if (characters.length <= length) return characters.join('');
  const end = Math.ceil((length - 1) / 2);
  return `${characters.slice(0, length - 1 - end).join('')}…${characters.slice(-end).join('')}`;
}
