/* A node: what it does by itself, and what may happen to it. */

/* The nodes are alike, so the first claim is node 0's. */
#define begun(n) (SHARES || n == 0 || owner[0] || owner[1] || length[0] || length[1] || faults < FAULTS)

/* Whose share a partition is. With SHARES, the node of the same number while it lives, else the other's; without, anybody's. */
#define share(n, p) (!SHARES || n == p || !alive[1 - n])

/* Node._beat, Ownership.take and Lane.acquire. */
#define CLAIM(n, p) \
    :: d_step { p < PARTITIONS && at[n] == IDLE && !serves[of(n, p)] && alive[n] && begun(n) && share(n, p) && \
                (owner[p] == 0 || owner[p] == n + 1 || !alive[owner[p] - 1]) -> \
        if :: BUG != LEASE_WITHOUT_EPOCH -> raise(p) :: else -> skip fi; \
        owner[p] = n + 1; serves[of(n, p)] = true; newest[of(n, p)] = true; \
        seq[of(n, p)] = length[p]; \
        open[of(n, p)] = (BUG == NOT_SAID_AGAIN -> 0 : (bit(length[p]) - 1) & ~(bit(published[p]) - 1)) }

/* Line.take with Turns.turn: an item leaves the queue and is decided from memory. */
#define TAKE(n, p, kind) \
    :: d_step { (at[n] == IDLE || at[n] == DECIDED) && serves[of(n, p)] && item[of(n, p)] == NONE && ready[kind] && \
                !disconnected[n] -> \
        ready[kind]--; item[of(n, p)] = kind; decided[of(n, p)] = decision(p, picture(n, p), kind); at[n] = DECIDED }

inline lose_what_is_not_ours(n) {
    i = 0;
    do
    :: i < PARTS ->
        if
        :: serves[of(n, i)] && !newest[of(n, i)] -> stop_serving(n, i)
        :: else -> skip
        fi;
        i++
    :: else -> break
    od
}

/* Whether every partition of the batch is still ours. */
inline check_epochs(n) {
    fine = true;
    i = 0;
    do
    :: i < PARTS ->
        if
        :: item[of(n, i)] != NONE && !newest[of(n, i)] && \
           !(BUG == IDLE_ACK_UNFENCED && decided[of(n, 0)] == NOTHING && decided[of(n, 1)] == NOTHING) && \
           !(BUG == ONE_EPOCH_IS_ENOUGH && item[of(n, 1 - i)] != NONE && newest[of(n, 1 - i)]) -> fine = false
        :: else -> skip
        fi;
        i++
    :: else -> break
    od
}

/* Journal.commit with Lane._adopt: what is durable becomes what we know, and goes to the publisher. */
inline write_batch(n) {
    i = 0;
    do
    :: i < PARTS ->
        if
        :: item[of(n, i)] != NONE ->
            if
            :: newest[of(n, i)] && confirmed(n, i) > published[i] -> published[i] = confirmed(n, i)
            :: else -> skip
            fi;
            if
            :: decided[of(n, i)] != NOTHING ->
                must(ZOMBIE, newest[of(n, i)] && !newest[of(1 - n, i)]);
                write(i, decided[of(n, i)], item[of(n, i)], seq[of(n, i)]);
                if
                :: seq[of(n, i)] < ROWS && !early[of(n, i)] -> open[of(n, i)] = open[of(n, i)] | bit(seq[of(n, i)])
                :: else -> skip
                fi;
                if
                :: seq[of(n, i)] < ROWS -> seq[of(n, i)]++
                :: else -> skip
                fi
            :: else -> skip
            fi
        :: else -> skip
        fi;
        decided[of(n, i)] = NOTHING;
        early[of(n, i)] = false;
        i++
    :: else -> break
    od;
    at[n] = COMMITTED
}

/* Fenced: nothing was written, Lane._find_lost. */
inline fenced(n) {
    requeue(n);
    put_down(n);
    lose_what_is_not_ours(n);
    at[n] = IDLE
}

/* Publisher._say: the broker has it, and we hear so. */
#define PUBLISH(n, p, index) \
    :: d_step { (open[of(n, p)] & bit(index)) -> \
        say(n, p, index, row[at_row(p, index)]); open[of(n, p)] = open[of(n, p)] & ~bit(index) } \
    :: d_step { (open[of(n, p)] & bit(index)) && faults -> faults--; \
        say(n, p, index, row[at_row(p, index)]) } \
    :: d_step { (open[of(n, p)] & bit(index)) && faults -> faults--; \
        open[of(n, p)] = (BUG == PUBLISHED_BEFORE_CONFIRM -> open[of(n, p)] & ~bit(index) : open[of(n, p)]) }

#define SAY_EARLY(n, p) \
    :: d_step { BUG == PUBLISH_BEFORE_COMMIT && at[n] == DECIDED && decided[of(n, p)] != NOTHING && !early[of(n, p)] && \
                seq[of(n, p)] < ROWS -> \
        early[of(n, p)] = true; say(n, p, seq[of(n, p)], decided[of(n, p)]) }
#define said_early(n, p) (BUG != PUBLISH_BEFORE_COMMIT || decided[of(n, p)] == NOTHING || early[of(n, p)])

/* Lane._rest: remember what was published. */
#define FLUSH(n, p) \
    :: d_step { at[n] == IDLE && serves[of(n, p)] && confirmed(n, p) > published[p] -> \
        if \
        :: newest[of(n, p)] || BUG == NO_EPOCH_CHECK -> published[p] = confirmed(n, p) \
        :: else -> lose_what_is_not_ours(n) \
        fi }

/* Node._beat, when the shares moved: Lane.release, Ownership.give_up. */
#define GIVE_UP(n, p) \
    :: d_step { at[n] == IDLE && serves[of(n, p)] && faults -> faults--; \
        if :: newest[of(n, p)] && confirmed(n, p) > published[p] -> published[p] = confirmed(n, p) :: else -> skip fi; \
        if :: owner[p] == n + 1 -> owner[p] = 0 :: else -> skip fi; \
        stop_serving(n, p) }

/* Node._beat: another took it while we slept. */
#define LOOK(n, p) \
    :: d_step { BUG != STALE_BELIEF && at[n] == IDLE && serves[of(n, p)] && owner[p] != n + 1 -> stop_serving(n, p) }

/* Lane._read_truth, for one partition. */
inline read_truth(n, p) {
    if
    :: serves[of(n, p)] && !newest[of(n, p)] -> stop_serving(n, p)
    :: serves[of(n, p)] && newest[of(n, p)] ->
        if
        :: BUG != TRUTH_UNDER_OLD_EPOCH -> raise(p); newest[of(n, p)] = true
        :: else -> skip
        fi;
        open[of(n, p)] = open[of(n, p)] | ((bit(length[p]) - 1) & ~(bit(seq[of(n, p)]) - 1));
        seq[of(n, p)] = length[p]
    :: else -> skip
    fi
}

proctype Node(byte n) {
end:
    do
    CLAIM(n, 0)
    CLAIM(n, 1)
    TAKE(n, 0, S0)
    TAKE(n, 0, A1)
    TAKE(n, 0, A2)
    TAKE(n, 1, S1)
    /* The lease on attempt 1 ran out. */
    :: d_step { ATTEMPTS == 2 && (at[n] == IDLE || at[n] == DECIDED) && serves[of(n, 0)] && item[of(n, 0)] == NONE && !disconnected[n] &&
                picture(n, 0) == START ->
        item[of(n, 0)] = TICK; decided[of(n, 0)] = RETRY; at[n] = DECIDED }
    SAY_EARLY(n, 0)
    SAY_EARLY(n, 1)
    /* The commit, and that its answer is lost: the statement is on its way, and may come to its end later or never. */
    :: d_step { BUG != CHECK_THEN_WRITE && at[n] == DECIDED && said_early(n, 0) && said_early(n, 1) ->
        check_epochs(n);
        if
        :: fine || BUG == NO_EPOCH_CHECK -> write_batch(n)
        :: else -> fenced(n)
        fi }
    :: d_step { BUG == CHECK_THEN_WRITE && at[n] == DECIDED ->
        check_epochs(n);
        if
        :: fine -> at[n] = CHECKED
        :: else -> fenced(n)
        fi }
    :: d_step { BUG == CHECK_THEN_WRITE && at[n] == CHECKED -> write_batch(n) }
    :: d_step { at[n] == DECIDED && !in_flight[n] && faults && said_early(n, 0) && said_early(n, 1) -> faults--;
        check_epochs(n);
        in_flight[n] = true;
        i = 0;
        do
        :: i < PARTS ->
            flight_item[of(n, i)] = item[of(n, i)];
            flight_row[of(n, i)] = decided[of(n, i)];
            if
            :: item[of(n, i)] != NONE -> flight_seq[of(n, i)] = seq[of(n, i)]
            :: else -> skip
            fi;
            i++
        :: else -> break
        od;
        requeue(n);
        put_down(n);
        if
        :: fine || BUG == NO_EPOCH_CHECK -> skip
        :: else -> land(n)
        fi;
        at[n] = DOUBT }
    :: d_step { at[n] == DOUBT ->
        if
        :: BUG != MEMORY_AFTER_DOUBT -> read_truth(n, 0); read_truth(n, 1)
        :: else -> skip
        fi;
        at[n] = IDLE }
    /* Line.settle. */
    :: d_step { at[n] == COMMITTED -> put_down(n); at[n] = IDLE }
    PUBLISH(n, 0, 0)
    PUBLISH(n, 0, 1)
    PUBLISH(n, 0, 2)
    PUBLISH(n, 1, 0)
    FLUSH(n, 0)
    FLUSH(n, 1)
    LOOK(n, 0)
    LOOK(n, 1)
    GIVE_UP(n, 0)
    GIVE_UP(n, 1)
    /* Node._beat of one whose lease had run out. */
    :: d_step { !alive[n] -> alive[n] = true }
    /* It sleeps past its lease. */
    :: d_step { alive[n] && (owner[0] == n + 1 || owner[1] == n + 1) && faults -> faults--; alive[n] = false }
    /* Its connection to the broker breaks. */
    :: d_step { holds(n) && !disconnected[n] && faults -> faults--; requeue(n); disconnected[n] = true }
    /* It dies and comes back as a new node. Its lock goes with it, what it did not ack comes again, a statement on its way stays so.
       One that does not come back is one that never moves again. */
    :: d_step { (at[n] != IDLE || serves[of(n, 0)] || serves[of(n, 1)]) && faults -> faults--;
        requeue(n);
        put_down(n);
        stop_serving(n, 0);
        stop_serving(n, 1);
        i = 0;
        do
        :: i < PARTS ->
            if
            :: owner[i] == n + 1 -> owner[i] = 0
            :: else -> skip
            fi;
            i++
        :: else -> break
        od;
        alive[n] = true;
        at[n] = IDLE }
    od
}
