import { Html } from './html.ts';

/** The parts of a stored page that may be others when it is served. */
type PlaceName = 'verdict' | 'approvals' | 'samples';

/** No text of a page can look like this. */
const marks = (name: PlaceName) => [`<!--${name}-->`, `<!--/${name}-->`] as const;

/** A part of a page that can be found again in it. */
export function placed(name: PlaceName, part: Html): Html {
  const [begin, end] = marks(name);
  return new Html(begin + part.markup + end);
}

/** A stored page with another part in the place of that name. Pages that have no such place stay as they are. */
export function replacePlaced(page: string, name: PlaceName, part: Html): string {
  const [begin, end] = marks(name);
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) return page;
  return page.slice(0, from) + begin + part.markup + page.slice(to);
}
