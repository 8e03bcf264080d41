# `clear-up.sh ID DIRECTORY CGROUP`: waits until its standard input ends, which it does however the process ends that holds the
# other end, and then takes away everything of one world: processes, cgroups, network namespaces, files.
trap '' INT TERM HUP
cat > /dev/null
if [ -d "$3" ]; then
  echo 1 > "$3/cgroup.kill"
  tries=0
  while grep -q 'populated 1' "$3/cgroup.events" && [ $tries -lt 200 ]; do
    sleep 0.05
    tries=$((tries + 1))
  done
  find "$3" -depth -type d -exec rmdir {} \;
fi
for path in /run/netns/md-"$1"-*; do
  if [ -e "$path" ]; then ip netns del "${path##*/}"; fi
done
rm -rf "$2"
