#!/bin/sh
# Closes ports of this machine to the outside world: those of a producer, which nobody but its own network is to reach.
#
# What comes in is looked at before any address is translated. There a port is the one that the world knows, whether a
# process of this machine listens at it or Docker hands it on to a container at whatever port that one has; and what
# containers say to each other is not addressed to this machine, so it passes. The rules are all in a table (nft) or a
# chain (iptables) of their own. Docker may come, go and write its own rules anew: it has none there.
set -eu

TABLE=chainwatch_shield # of nft
CHAIN=CHAINWATCH-SHIELD # of iptables and ip6tables, in the table mangle: the last one before Docker translates
WAIT=10                 # seconds for others who are changing rules at the moment

usage() {
    cat <<'END'
Usage: firewall.sh [--ports PORT,...] [--allow ADDRESS[/BITS]]... [--backend nft|iptables] [--dry-run]
       firewall.sh --remove [--backend nft|iptables] [--dry-run]

Closes TCP ports of this machine to the outside world, by IPv4 and IPv6, whether a process or a container of Docker
serves them. What comes over loopback, belongs to a connection that exists, or comes from an allowed address is let in.
Run again with other ports or addresses, these take the place of those before.

  --ports PORT,...        the ports, as the world would see them; without it 8888,9876
  --allow ADDRESS[/BITS]  IPv4 or IPv6, of a machine or a network that may come in; as often as need be
  --remove                opens what it closed, and leaves nothing behind
  --backend nft|iptables  without it nft where it is installed, else iptables (with ip6tables)
  --dry-run               prints what would be done, and does nothing; needs no root

Ends with 0 if all is done, with 1 if something failed, with 2 if something is wrong with what it was told or found.
END
}

wrong() {
    printf 'firewall.sh: %s\n' "$1" >&2
    exit 2
}

failed() {
    printf 'firewall.sh: %s\n' "$1" >&2
    exit 1
}

# Whether a command finds something of ours. Only root can look; --dry-run shows others what would be done to close what
# is open, and to open what is closed.
there() {
    if [ "$root" = yes ]; then "$@" >/dev/null 2>&1; else [ "$action" = remove ]; fi
}

installed() { command -v "$1" >/dev/null 2>&1; }

# Whether a backend is installed, whole.
has() {
    if [ "$1" = nft ]; then
        installed nft
    else
        installed iptables-restore && { [ ! -e /proc/sys/net/ipv6 ] || installed ip6tables-restore; }
    fi
}

# Whether a text is a number from $2 to $3, written without zeros before it.
is_number() {
    case $1 in
    '' | *[!0-9]* | 0?* | ??????*) return 1 ;;
    esac
    [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

# Whether a text is an IPv4 address: four numbers.
is_ipv4() {
    case $1 in
    *[!0-9.]* | *.) return 1 ;;
    esac
    parts=0
    rest=$1.
    while [ -n "$rest" ]; do
        is_number "${rest%%.*}" 0 255 || return 1
        rest=${rest#*.}
        parts=$((parts + 1))
    done
    [ "$parts" -eq 4 ]
}

# Whether a text is an IPv6 address: eight groups, or fewer with one :: among them.
is_ipv6() {
    case $1 in
    *[!0-9a-fA-F:]* | *::*::* | *:::* | :[!:]* | *[!:]:) return 1 ;;
    *::*) most=7 ;;
    *:*) most=8 ;;
    *) return 1 ;;
    esac
    groups=0
    rest=$1:
    while [ -n "$rest" ]; do
        group=${rest%%:*}
        rest=${rest#*:}
        case $group in
        '') continue ;;
        ?????*) return 1 ;;
        esac
        groups=$((groups + 1))
    done
    if [ "$most" -eq 8 ]; then [ "$groups" -eq 8 ]; else [ "$groups" -le "$most" ]; fi
}

# Takes an allowed address or network into $allowed4 or $allowed6.
allow() {
    address=${1%%/*}
    if is_ipv4 "$address"; then
        longest=32
    elif is_ipv6 "$address"; then
        longest=128
    else
        wrong "--allow $1: is no address; write 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32"
    fi
    case $1 in
    */*)
        is_number "${1#*/}" 0 "$longest" || wrong "--allow $1: has no length of a network; write /1 to /$longest"
        [ "${1#*/}" != 0 ] || wrong "--allow $1: is everybody; to open the ports, use --remove"
        ;;
    esac
    if [ "$longest" -eq 32 ]; then allowed4="$allowed4 $1"; else allowed6="$allowed6 $1"; fi
}

# Takes the ports, with commas between them, into $ports.
take_ports() {
    ports=
    rest=$1,
    while [ -n "$rest" ]; do
        is_number "${rest%%,*}" 1 65535 || wrong "--ports $1: write numbers from 1 to 65535, with commas between them"
        ports="${ports:+$ports }${rest%%,*}"
        rest=${rest#*,}
    done
}

# --- nft: one table, replaced as a whole in one transaction.

nft_rules() {
    # To delete a table that is not there is an error, to name it is none: hence it is named first.
    printf 'table inet %s\n' "$TABLE"
    printf 'delete table inet %s\n' "$TABLE"
    [ "$1" = close ] || return 0
    printf 'table inet %s {\n' "$TABLE"
    printf '    chain prerouting {\n'
    printf '        type filter hook prerouting priority -150; policy accept;\n' # Docker translates at -100
    printf '        meta l4proto != tcp accept\n'
    printf '        tcp dport != { %s } accept\n' "$(printf '%s' "$ports" | sed 's/ /, /g')"
    printf '        iif "lo" accept\n'
    printf '        fib daddr type != local accept\n'
    printf '        ct state established,related accept\n'
    for address in $allowed4; do printf '        ip saddr %s accept\n' "$address"; done
    for address in $allowed6; do printf '        ip6 saddr %s accept\n' "$address"; done
    printf '        counter drop\n'
    printf '    }\n'
    printf '}\n'
}

nft_apply() {
    if [ "$1" = remove ] && ! there nft list table inet "$TABLE"; then return 0; fi
    if [ "$dry" = yes ]; then
        printf '# nft -f -\n'
        nft_rules "$1"
    else
        nft_rules "$1" | nft -f - || failed "nft has not taken the rules, for the reason above; nothing has changed"
    fi
}

# --- iptables: one chain for IPv4 and one for IPv6, each replaced as a whole in one transaction.

# Prints what iptables-restore --noflush is to read: a chain that is declared is emptied first, all else stays.
iptables_rules() {
    jump="PREROUTING -p tcp -m addrtype --dst-type LOCAL -j $CHAIN"
    jumps=no
    # shellcheck disable=SC2086 # the words of the rule
    if there "$2" -w "$WAIT" -t mangle -C $jump; then jumps=yes; fi
    printf '*mangle\n'
    if [ "$1" = close ]; then
        printf ':%s - [0:0]\n' "$CHAIN"
        printf -- '-A %s -i lo -j RETURN\n' "$CHAIN"
        printf -- '-A %s -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN\n' "$CHAIN"
        if [ "$2" = iptables ]; then allowed=$allowed4; else allowed=$allowed6; fi
        for address in $allowed; do printf -- '-A %s -s %s -j RETURN\n' "$CHAIN" "$address"; done
        for port in $ports; do printf -- '-A %s -p tcp --dport %s -j DROP\n' "$CHAIN" "$port"; done
        [ "$jumps" = yes ] || printf -- '-I %s\n' "$jump"
    else
        [ "$jumps" = no ] || printf -- '-D %s\n' "$jump"
        printf -- '-F %s\n' "$CHAIN"
        printf -- '-X %s\n' "$CHAIN"
    fi
    printf 'COMMIT\n'
}

# iptables makes its table and its chain PREROUTING where there are none, and leaves them there when they are empty again.
# It takes back an empty chain, but not the table: only nft can. iptables-legacy has both for good.
iptables_table_goes() {
    if [ "$1" = iptables ]; then family=ip; else family=ip6; fi
    "$1" -w "$WAIT" -t mangle -X PREROUTING 2>/dev/null || return 0
    installed nft || return 0
    left=$(nft list table "$family" mangle 2>/dev/null) || return 0
    [ "$(printf '%s\n' "$left" | grep -c .)" -ne 2 ] || nft delete table "$family" mangle # which is empty: table { }
}

iptables_apply() {
    commands=iptables
    # Without IPv6 in the kernel there is nothing to close, and nothing to close it with.
    if [ -e /proc/sys/net/ipv6 ]; then commands='iptables ip6tables'; fi
    for step in test change; do # both are tried before either is changed
        for command in $commands; do
            if [ "$1" = remove ] && ! there "$command" -w "$WAIT" -t mangle -S "$CHAIN"; then continue; fi
            rules=$(iptables_rules "$1" "$command")
            if [ "$dry" = yes ]; then
                [ "$step" = test ] || printf '# %s-restore --noflush\n%s\n' "$command" "$rules"
            elif [ "$step" = test ]; then
                printf '%s\n' "$rules" | "$command-restore" -w "$WAIT" --noflush --test ||
                    failed "$command has not taken the rules, for the reason above; nothing has changed"
            else
                printf '%s\n' "$rules" | "$command-restore" -w "$WAIT" --noflush ||
                    failed "$command has not taken the rules, for the reason above; the other one may have"
                [ "$1" = close ] || iptables_table_goes "$command"
            fi
        done
    done
}

# --- What is to be done

action=close
backend=
dry=no
ports=
allowed4=
allowed6=
take_ports 8888,9876
while [ $# -gt 0 ]; do
    case $1 in
    --ports | --allow | --backend) [ $# -gt 1 ] || wrong "$1: lacks its value; see --help" ;;
    esac
    case $1 in
    --ports) take_ports "$2" ;;
    --allow) allow "$2" ;;
    --backend) backend=$2 ;;
    --remove) action=remove ;;
    --dry-run) dry=yes ;;
    --help)
        usage
        exit 0
        ;;
    *) wrong "$1: is unknown; see --help" ;;
    esac
    case $1 in
    --ports | --allow | --backend) shift ;;
    esac
    shift
done

root=no
[ "$(id -u)" -ne 0 ] || root=yes
if [ "$root" = no ] && [ "$dry" = no ]; then wrong "has to be run by root; --dry-run shows anybody what it would do"; fi
PATH=$PATH:/usr/sbin:/sbin # where these are, and not every shell looks

case $backend in
'')
    for each in iptables nft; do
        if has "$each"; then backend=$each; fi
    done
    [ -n "$backend" ] ||
        wrong "neither nft nor iptables with ip6tables is installed; on Debian and Ubuntu: apt install nftables"
    ;;
nft | iptables)
    has "$backend" || [ "$dry" = yes ] ||
        wrong "--backend $backend: is not installed; on Debian and Ubuntu: apt install nftables, or iptables"
    ;;
*) wrong "--backend $backend: is unknown; write nft or iptables" ;;
esac
if [ "$backend" = nft ]; then other=iptables; else other=nft; fi

"${backend}_apply" "$action"
if has "$other"; then "${other}_apply" remove; fi # what an earlier run may have done with that
