/** An event and the part in whose books it is, as both are compared: neither can be taken for another by where it is cut. */
export function bookedEvent(eventId: string, partId: number | undefined): string {
  return `${partId ?? 'none'} ${eventId}`;
}
