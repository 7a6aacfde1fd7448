/** Finds one kind of personal data in free text. */
export interface Detector {
  name: string;
  /** The text with every find replaced; in linear time, since anybody may have written it. */
  mask(text: string): string;
}
