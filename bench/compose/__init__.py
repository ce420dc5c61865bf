"""`make test-compose`: the operator's pages, run command by command on a real Docker Engine.

It needs root, 10 GB of disk and 20 minutes, and runs a Docker daemon of its own. What a
machine needs to reach registries comes from the environment. At the end it removes what it added
to the machine: its folder, Docker's bridges and its rules of iptables.

COMPOSE_TEST_CA         a bundle of certificates, for a network with a proxy that opens TLS
COMPOSE_TEST_APT        a file of apt options
COMPOSE_TEST_PIP        a pip.conf
COMPOSE_TEST_STANDINS   "yes": build the base images of Debian's packages without trying to pull
COMPOSE_TEST_FOLDER     where the daemon keeps its data (/var/tmp/wikivisage-compose): a folder
                        that isn't there yet, or that an earlier run kept; removed at the end
                        unless COMPOSE_TEST_KEEP is "yes"
PLATFORM                "toolforge": within that platform's limits
"""
