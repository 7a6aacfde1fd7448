/** A source's name is the first part of every event id and the name of its file. */
export const SOURCE_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;
