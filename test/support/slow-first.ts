import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that run for minutes, a good part of which they wait. */
const SLOW = ['/test/acceptance/', '/test/chaos/', '/test/halts/'];

/** Begins with the slowest files, so that no worker is left alone with one of them at the end. */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isSlow = ({ moduleId }: TestSpecification) => SLOW.some((folder) => moduleId.includes(folder));
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}
