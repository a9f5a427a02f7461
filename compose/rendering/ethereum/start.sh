#!/bin/sh
# Starts one node: `start.sh FLAGS OF GETH`. Needs nothing but a POSIX shell with what Alpine's busybox has.
#   /keys                this node's own keys, as the service `setup` made them (read-only)
#   /chain/genesis.json  the first block, where the chain is one of our own (read-only)
#   /data                the node's volume: chain and keystore
# ADDRESS at the end of a flag stands for the address of the node's account. Secrets stay in files: /tmp is in memory.
set -eu
umask 077

keys=${KEYS:-/keys}
genesis=${GENESIS:-/chain/genesis.json}
data=${DATA:-/data}
scratch=${SCRATCH:-/tmp}

refuse() {
    echo "start.sh: $1" >&2
    exit 1
}

# The chain begins with the genesis, once. The checksum is written after that: a node that was killed in between begins
# again, which geth takes well.
begin_chain() {
    now=$(sha256sum <"$genesis")
    if [ -f "$data/genesis.sha256" ]; then
        [ "$now" = "$(cat "$data/genesis.sha256")" ] ||
            refuse "this node's chain began with another genesis than the one in keys/: put that one back, or remove the node's volume to begin anew"
        return 0
    fi
    # How the database is kept is settled here and never again.
    for flag in "$@"; do
        case $flag in
        --db.engine=* | --state.scheme=* | --datadir.ancient=*) set -- "$@" "$flag" ;;
        esac
        shift
    done
    geth --datadir "$data" "$@" init "$genesis" ||
        refuse "geth could not begin a chain with the genesis in keys/; it says why above"
    echo "$now" >"$data/genesis.sha256.new"
    mv "$data/genesis.sha256.new" "$data/genesis.sha256"
}

# geth watches its keystore and adds to it, and keys/ is read-only: hence copies, made anew at each start.
copy_keystore() {
    mkdir -p "$data/keystore"
    for key in "$keys"/keystore/*; do
        if [ -f "$key" ]; then cp "$key" "$data/keystore/"; fi
    done
}

# Prints the host name of every node that the configuration names, each once.
named_hosts() {
    grep -o 'enode://[0-9a-f]*@[^:"]*:' "$keys/config.toml" | sed 's/.*@//; s/:$//' | sort -u
}

# geth 1.8 takes addresses alone, and newer ones end over a name that nobody has yet: a node that has not started is
# left out, and will call us when it does. All names are looked up at once, since each may take its time.
write_configuration() {
    hosts=$(named_hosts || true)
    addresses=$(mktemp -d "$scratch/addresses.XXXXXX")
    for host in $hosts; do
        (getent hosts "$host" 2>/dev/null | sed 's/[[:space:]].*//; q' >"$addresses/$host") &
    done
    wait
    for host in $hosts; do
        address=$(cat "$addresses/$host")
        name=$(printf '%s' "$host" | sed 's/\./[.]/g')
        case $address in
        '') printf 's|"enode://[0-9a-f]*@%s:[^"]*"[[:space:]]*,\\{0,1\\}||g\n' "$name" ;;
        *:*) printf 's|@%s:|@[%s]:|g\n' "$name" "$address" ;;
        *) printf 's|@%s:|@%s:|g\n' "$name" "$address" ;;
        esac
    done >"$scratch/addresses.sed"
    echo '/^  *$/d' >>"$scratch/addresses.sed"
    sed -f "$scratch/addresses.sed" "$keys/config.toml" >"$scratch/config.toml"
    rm -r "$addresses" "$scratch/addresses.sed"
}

if [ ! -f "$keys/nodekey" ] || [ ! -f "$keys/config.toml" ]; then
    refuse "keys/ has nothing for this node: start the service setup, which makes what is missing"
fi
[ ! -e "$genesis" ] || begin_chain "$@"
copy_keystore
write_configuration

for flag in "$@"; do
    case $flag in
    *=ADDRESS)
        [ -s "$keys/address" ] || refuse "keys/ has no account for this node: start the service setup, which makes what is missing"
        flag=${flag%ADDRESS}$(cat "$keys/address")
        ;;
    esac
    set -- "$@" "$flag"
    shift
done

# In this shell's place, so that geth itself hears when it is to stop.
exec geth "$@"
