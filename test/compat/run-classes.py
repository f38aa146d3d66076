# Not called tempest.py: that would be what `import tempest` finds.
# Runs classes of the unmodified tempest, one after another as they are named on stdin. First line out: all classes below the packages of argv, with their tests;
# then one JSON object a test: {"id", "outcome": pass|fail|skip, "why", "seconds"}, and {"done": CLASS} after each class.
import json
import os
import sys
import time
import unittest

from tempest.lib.services.network import subnets_client

out = os.fdopen(os.dup(1), 'w', buffering=1)
os.dup2(2, 1)  # what the tests print is not for our reader

class Unhurried:
    """The module time, but its sleep does not."""
    def __getattr__(self, name):
        return (lambda seconds: None) if name == 'sleep' else getattr(time, name)


# Before each deletion of a subnet tempest gives the original ten seconds to clear up behind it; here nothing is left to clear up.
subnets_client.time = Unhurried()

top = '/usr/lib/python3/dist-packages'


def flat(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flat(item)
        else:
            yield item


classes = {}
for package in sys.argv[1:]:
    for test in flat(unittest.TestLoader().discover(os.path.join(top, *package.split('.')), top_level_dir=top)):
        name = type(test).__module__ + '.' + type(test).__qualname__
        classes.setdefault(name, []).append(test)
out.write(json.dumps({name: [test.id() for test in tests] for name, tests in classes.items()}) + '\n')


class Result(unittest.TestResult):
    def __init__(self, ids):
        super().__init__()
        self.left = dict.fromkeys(ids)
        self.at = time.monotonic()

    def tell(self, test, outcome, why=''):
        now = time.monotonic()
        # A class whose set-up is skipped or fails speaks for all its tests.
        ids = [test.id()] if test.id() in self.left else list(self.left) if 'setUpClass' in test.id() else [test.id()]
        for each in ids:
            self.left.pop(each, None)
            out.write(json.dumps({'id': each, 'outcome': outcome, 'why': why[-3000:], 'seconds': round((now - self.at) / len(ids), 2)}) + '\n')
        self.at = now

    def addSuccess(self, test):
        self.tell(test, 'pass')

    def addSkip(self, test, reason=None, details=None):
        self.tell(test, 'skip', str(reason or (details or {}).get('reason', '')))

    def failed(self, test, error=None, details=None):
        why = self._exc_info_to_string(error, test) if error else '\n'.join(c.as_text() for c in (details or {}).values() if c.content_type.type == 'text')
        self.tell(test, 'fail', why)

    def addError(self, test, error=None, details=None):
        self.failed(test, error, details)

    def addFailure(self, test, error=None, details=None):
        self.failed(test, error, details)

    def addUnexpectedSuccess(self, test, details=None):
        self.tell(test, 'fail', 'unexpected success')

    def addExpectedFailure(self, test, error=None, details=None):
        self.tell(test, 'pass')


for line in sys.stdin:
    name = line.strip()
    tests = classes[name]
    unittest.TestSuite(tests).run(Result([test.id() for test in tests]))
    out.write(json.dumps({'done': name}) + '\n')
# Threads that tempest or its libraries left do not hold us up.
out.flush()
os._exit(0)
