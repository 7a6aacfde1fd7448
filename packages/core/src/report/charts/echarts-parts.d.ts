// The library's index files load all of its charts, four times the memory of those that we draw; its single parts have
// types only there.
declare module 'echarts/lib/extension.js' {
  export { use } from 'echarts/core';
}
declare module 'echarts/lib/core/echarts.js' {
  export { init } from 'echarts/core';
}
declare module 'echarts/lib/chart/bar/install.js' {
  export { BarChart as install } from 'echarts/charts';
}
declare module 'echarts/lib/chart/line/install.js' {
  export { LineChart as install } from 'echarts/charts';
}
declare module 'echarts/lib/chart/sankey/install.js' {
  export { SankeyChart as install } from 'echarts/charts';
}
declare module 'echarts/lib/component/grid/install.js' {
  export { GridComponent as install } from 'echarts/components';
}
declare module 'echarts/lib/renderer/installSVGRenderer.js' {
  export { SVGRenderer as install } from 'echarts/renderers';
}
