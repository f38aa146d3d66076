# Runs the unmodified `openstack` client many times without paying its start-up (1-3 s) each time: everything is imported once, then every
# command runs in a fork of this process. One JSON object a line on stdin: {"id", "argv", "env"}; one a line on stdout: {"id", "rc", "out", "err"}.
import importlib
import json
import os
import selectors
import sys
import tempfile
import traceback

from openstackclient import shell

for name in ('openstackclient.common.clientmanager', 'openstackclient.identity.client', 'openstackclient.compute.client', 'openstackclient.image.client',
             'openstackclient.network.client', 'openstack.connection', 'novaclient.client', 'novaclient.v2.client', 'glanceclient.v2.client', 'keystoneclient.v3.client',
             'openstackclient.compute.v2.server', 'openstackclient.network.v2.port', 'openstackclient.image.v2.image', 'cliff.formatters.table'):
    try:
        importlib.import_module(name)
    except ImportError:
        pass
shell.OpenStackShell()  # finds the plug-ins


def work(job, pipe):
    files = [tempfile.TemporaryFile('w+b', buffering=0), tempfile.TemporaryFile('w+b', buffering=0)]
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(files[0].fileno(), 1)
    os.dup2(files[1].fileno(), 2)
    for key in [k for k in os.environ if k.startswith('OS_')]:
        del os.environ[key]
    os.environ.update(job.get('env', {}))
    try:
        rc = shell.main(job['argv'])
    except SystemExit as e:
        rc = e.code if isinstance(e.code, int) else 0 if e.code is None else 1
    except BaseException:
        traceback.print_exc()
        rc = 1
    sys.stdout.flush()
    sys.stderr.flush()
    texts = []
    for file in files:
        file.seek(0)
        texts.append(file.read().decode('utf8', 'replace'))
    with os.fdopen(pipe, 'w') as out:
        out.write(json.dumps({'id': job['id'], 'rc': rc or 0, 'out': texts[0], 'err': texts[1]}))


waiting = selectors.DefaultSelector()
waiting.register(0, selectors.EVENT_READ, None)
os.write(1, b'{"id": 0}\n')
rest = b''
while True:
    for key, _ in waiting.select():
        if key.data is None:
            data = os.read(0, 1 << 20)
            if not data:
                os._exit(0)
            *lines, rest = (rest + data).split(b'\n')
            for line in lines:
                job = json.loads(line)
                mine, theirs = os.pipe()
                pid = os.fork()
                if pid == 0:
                    os.close(mine)
                    work(job, theirs)
                    os._exit(0)
                os.close(theirs)
                waiting.register(mine, selectors.EVENT_READ, {'pid': pid, 'id': job['id'], 'text': b''})
        else:
            data = os.read(key.fd, 1 << 20)
            key.data['text'] += data
            if not data:
                waiting.unregister(key.fd)
                os.close(key.fd)
                _, status = os.waitpid(key.data['pid'], 0)
                text = key.data['text'] or json.dumps({'id': key.data['id'], 'rc': 255, 'out': '', 'err': 'the client died: %d' % status}).encode()
                view = memoryview(text + b'\n')
                while view:
                    view = view[os.write(1, view):]
