/**
 * The bytes of an input object cannot be what they claim to be (a truncated or damaged gzip).
 * A fault of the data: reading again gives the same bytes and the same error.
 */
export class CorruptInputError extends Error {
  override readonly name = 'CorruptInputError';
}
