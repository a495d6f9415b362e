# trace.sh: figures by the clock of L1's trace, for the benches. $monitor is whose they are.
trace=/sys/kernel/tracing
events=$trace/events/kvm

say() { echo "$monitor $*" >> /rig/out/results; }

milliseconds() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", (b - a) * 1000 }'; }

start_trace() {
  echo 0 > $trace/tracing_on
  echo mono > $trace/trace_clock
  echo > $trace/trace
  # The first exit of a kernel before it maps itself high.
  echo 'guest_rip >= 0x1000000 && guest_rip < 0x6000000' > $events/kvm_exit/filter
  echo 'port == 0xf1 || port == 0xf2' > $events/kvm_pio/filter
  echo 1 > $events/kvm_exit/enable
  echo 1 > $events/kvm_pio/enable
  echo 1 > $trace/tracing_on
}

# The moment of the first event of that text, in seconds.
moment() { sed -n "/$1/{s/^.* \([0-9]*\.[0-9]*\): [a-z_]*: .*/\1/p;q}" $trace/trace; }

mark() { echo "$1" > $trace/trace_marker; }
