const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * The texts in which logs write a time that say no more than the stored time does: to the millisecond, in UTC. A raw time
 * in another zone, or with more digits, is none of them.
 *
 * @param timeMs whole ms since 1970
 */
export function timeForms(timeMs: number): string[] {
  const iso = new Date(timeMs).toISOString();
  const forms = [iso, String(timeMs)];
  if (timeMs % 1_000 !== 0) return forms;
  const [date = '', time = ''] = iso.slice(0, 19).split('T');
  const [year, month, day] = date.split('-');
  return [
    ...forms,
    String(timeMs / 1_000),
    `${date}T${time}Z`,
    `${date}T${time}+00:00`,
    `${date} ${time}`,
    `${day}/${MONTHS[Number(month) - 1]}/${year}:${time} +0000`,
  ];
}
