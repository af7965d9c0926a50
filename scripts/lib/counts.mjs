// Prints "passed failed skipped" of a test report, CTRF (the .NET tests) or vitest's JSON, and adds to a file what failed, and why.
import { appendFileSync, readFileSync } from 'node:fs';

const [, , path, failuresPath] = process.argv;
const report = JSON.parse(readFileSync(path, 'utf8'));
const summary = report.results?.summary;
const counts = summary
  ? [summary.passed, summary.failed + (summary.other ?? 0), summary.skipped + (summary.pending ?? 0)]
  : [report.numPassedTests, report.numFailedTests, report.numPendingTests + report.numTodoTests];

// A file that does not load holds no failed test, only a failed suite.
if (!summary && report.numFailedTestSuites > 0 && report.numFailedTests === 0) {
  counts[1] = report.numFailedTestSuites;
}

if (!counts.every((count) => Number.isSafeInteger(count) && count >= 0) || counts[0] + counts[1] + counts[2] === 0) {
  console.error(`${path} holds no counts`);
  process.exit(1);
}

const failures = summary
  ? report.results.tests
      .filter((test) => !['passed', 'skipped', 'pending'].includes(test.status))
      .map((test) => [test.name, test.message])
  : report.testResults.flatMap((suite) => [
      ...(suite.message ? [[suite.name, suite.message]] : []),
      ...suite.assertionResults
        .filter((test) => test.status === 'failed')
        .map((test) => [test.fullName, test.failureMessages.join(' ')]),
    ]);
const longestReason = 600;
for (const [name, reason] of failures) {
  appendFileSync(failuresPath, `FAILED: ${name}: ${(reason ?? '').replaceAll(/\s+/g, ' ').slice(0, longestReason)}\n`);
}

console.log(counts.join(' '));
