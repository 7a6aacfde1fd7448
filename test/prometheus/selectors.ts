import { parser } from '@prometheus-io/lezer-promql';

/**
 * For each selector of a PromQL expression, as Prometheus' own grammar has them, one that finds whatever has its metric,
 * its labels, and the values that it names outright. `foo{a="1",b=~"x|y"}` becomes `foo{a="1",b!=""}`: which of `x` and
 * `y` there are is a matter of the moment.
 *
 * @throws {Error} when the expression is not PromQL
 */
export function findSelectors(expression: string, momentary: readonly string[]): string[] {
  const selectors: string[] = [];
  parser.parse(expression).iterate({
    enter({ name, type, node }) {
      if (type.isError) throw new Error(`not PromQL: ${expression}`);
      if (name !== 'VectorSelector') return;
      const text = (part: { from: number; to: number } | null) =>
        part === null ? '' : expression.slice(part.from, part.to);
      const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
      const kept = matchers.map((matcher) => {
        const label = text(matcher.getChild('LabelName'));
        const isFixed = matcher.getChild('MatchOp')?.getChild('EqlSingle') && !momentary.includes(label);
        return isFixed ? text(matcher) : `${label}!=""`;
      });
      selectors.push(`${text(node.getChild('Identifier'))}{${kept.join(',')}}`);
    },
  });
  return selectors;
}
