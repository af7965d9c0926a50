// Prints "passed failed skipped" of a test report: CTRF (the .NET tests) or vitest's JSON.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const summary = report.results?.summary;
const counts = summary
  ? [summary.passed, summary.failed + (summary.other ?? 0), summary.skipped + (summary.pending ?? 0)]
  : [report.numPassedTests, report.numFailedTests, report.numPendingTests + report.numTodoTests];

// A file that does not load holds no failed test, only a failed suite.
if (!summary && report.numFailedTestSuites > 0 && report.numFailedTests === 0) {
  counts[1] = report.numFailedTestSuites;
}

if (!counts.every((count) => Number.isSafeInteger(count) && count >= 0) || counts[0] + counts[1] + counts[2] === 0) {
  console.error(`${process.argv[2]} holds no counts`);
  process.exit(1);
}

console.log(counts.join(' '));
