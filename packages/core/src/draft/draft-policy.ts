import { parseDocument } from 'yaml';
import type { ConfigDraft } from './draft-config.ts';

/**
 * The policy of a drafted source: that of the examples with its comments, but for what it says of their sources. Nobody
 * knows the steps of an activation here: they are left for a person to name.
 */
export function draftPolicy(example: string, { source, notApplicable }: ConfigDraft): string {
  const document = parseDocument(example);
  document.deleteIn(['kpi', 'funnel']);
  const declared = Object.keys(notApplicable).length === 0 ? {} : { [source.source]: notApplicable };
  document.setIn(['kpi', 'not_applicable', 'sources'], document.createNode(declared));
  return document.toString({ lineWidth: 0 });
}
