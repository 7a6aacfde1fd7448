/** How an axis looks, with what one adds to it. */
export function axisStyle({ axisLabel, axisLine }: { axisLabel?: object; axisLine?: object } = {}) {
  return {
    axisLabel: { color: 'var(--ink-2)', fontSize: 12, hideOverlap: true, ...axisLabel },
    axisLine: { lineStyle: { color: 'var(--line-2)' }, ...axisLine },
    splitLine: { lineStyle: { color: 'var(--line)' } },
  };
}
