/* What goes on around the nodes, and the verdict. */

/* A commit in flight comes to its end: it is done whole, or rolled back. One that lost an epoch is in flight no more. */
proctype Database(byte n) {
end:
    do
    :: d_step { in_flight[n] ->
        i = 0;
        do
        :: i < PARTS ->
            if
            :: flight_row[of(n, i)] != NOTHING -> write(i, flight_row[of(n, i)], flight_item[of(n, i)], flight_seq[of(n, i)])
            :: else -> skip
            fi;
            i++
        :: else -> break
        od;
        land(n) }
    :: d_step { in_flight[n] -> land(n) }
    od
}

#define ANSWER(attempt, kind) \
    :: d_step { requests[attempt] -> requests[attempt]--; ready[kind]++ } \
    :: d_step { requests[attempt] && faults -> faults--; \
        if \
        :: BUG == WORKER_ACKS_FIRST -> requests[attempt]-- \
        :: else -> ready[kind]++ \
        fi }

/* Worker: answers, and acks a request when its answer is confirmed. The fault: it dies in between. */
proctype Worker() {
end:
    do
    ANSWER(1, A1)
    ANSWER(2, A2)
    od
}

/* The sender's outbox says a start once more. */
proctype Sender() {
end:
    do
    :: d_step { faults -> faults--; ready[S0]++ }
    :: d_step { PARTITIONS == 2 && faults -> faults--; ready[S1]++ }
    od
}

#define complete(p, last) \
    (length[p] > 0 && row[at_row(p, length[p] - 1)] == last && effects[p] > 0 && \
     said[at_row(p, 0)] && said[at_row(p, length[p] - 1)] && (length[p] < 3 || said[at_row(p, 1)]) && published[p] == length[p])

/* Nothing can happen any more: everything accepted must have come to its end. */
proctype Judge() {
end:
    timeout;
    d_step {
        must(LOST, complete(0, DONE));
        must(LOST, PARTITIONS == 1 || complete(1, ONCE))
    }
}

init {
    d_step {
        ready[S0] = 1; ready[S1] = PARTITIONS - 1;
        i = 0;
        do
        :: i < NODES * PARTS -> item[i] = NONE; flight_item[i] = NONE; i++
        :: else -> break
        od;
        at[0] = IDLE; at[1] = IDLE; alive[0] = true; alive[1] = true;
        i = 0
    }
    atomic { run Node(0); run Node(1); run Database(0); run Database(1); run Worker(); run Sender(); run Judge() }
}
