package alterrec

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// ofBatch is what a batch of the one session gives.
func ofBatch(recommender *Recommender, session []int32, k int) *Recommendations {
	batch := must(NewBatch())
	defer batch.Close()
	if err := batch.Add(session); err != nil {
		panic(err)
	}
	return must(recommender.TopK(batch, k, nil))
}

func sameAsBatch(t *testing.T, recommender *Recommender, live *LiveSession, k int) {
	t.Helper()
	given, expected := must(live.TopK(k, nil)), ofBatch(recommender, live.Items(), k)
	if !reflect.DeepEqual(given.Items, expected.Items) || !reflect.DeepEqual(given.Scores, expected.Scores) {
		t.Errorf("after %v: %v, not %v", live.Items(), given, expected)
	}
}

func openRecommender() *Recommender {
	model := openShop("").model()
	defer model.Close()
	return must(NewRecommender(model, nil))
}

func TestLiveSession(t *testing.T) {
	recommender := openRecommender()
	defer recommender.Close()
	live := must(NewLiveSession(recommender))
	if live.Len() != 0 || live.Items() != nil {
		t.Fatal(live.Items())
	}
	_, err := live.TopK(3, nil)
	refused(t, err, InvalidArgument)
	if !strings.Contains(err.Error(), "has no item") {
		t.Fatal(err)
	}
	for i := int32(0); i < 10; i++ { // past max_len, too
		check(t, live.Push(i*7%items))
		sameAsBatch(t, recommender, live, 5)
	}
	err = live.Push(items)
	refused(t, err, InvalidArgument)
	if !strings.HasSuffix(err.Error(), "item 30 is outside 0..29") || live.Len() != 10 || live.Items()[3] != 21 {
		t.Fatal(err, live.Items())
	}

	best := must(live.TopK(5, nil))
	fused, id, text := make([]float32, 5), make([]float32, 5), make([]float32, 5)
	check(t, live.Score(fused, id, text, best.Items, nil))
	if !reflect.DeepEqual(fused, best.Scores) || reflect.DeepEqual(id, text) {
		t.Fatal(fused, id, text)
	}
	refused(t, live.Score(fused, nil, nil, []int32{1, 2}, nil), InvalidArgument)
	for _, k := range []int{-1, 0, items + 1, math.MaxInt64} {
		_, err := live.TopK(k, nil)
		refused(t, err, InvalidArgument)
	}

	live.Close()
	refused(t, live.Push(1), InvalidArgument)
	_, err = live.TopK(1, nil)
	refused(t, err, InvalidArgument)
	_, err = live.MarshalBinary()
	refused(t, err, InvalidArgument)
	live.Reset()
	live.Close()
	if live.Len() != 0 || live.Items() != nil {
		t.Fatal("a closed session has items")
	}
}

func TestLiveSessionExclusions(t *testing.T) {
	recommender := openRecommender()
	defer recommender.Close()
	live := must(NewLiveSession(recommender))
	check(t, live.Push(3))
	whole := must(live.TopK(4, nil))
	check(t, live.ExcludeOwn(true))
	before := must(live.TopK(4, nil)).Items
	check(t, live.Exclude(before[:1]))
	check(t, live.Exclude(before[2:3]))
	check(t, live.Exclude(nil))
	refused(t, live.Exclude([]int32{-1}), InvalidArgument)
	if best := must(live.TopK(2, nil)).Items; best[0] != before[1] || best[1] != before[3] {
		t.Fatal(best, before)
	}
	if all := must(live.TopK(items, nil)).List(0); len(all) != items-3 {
		t.Fatal(all)
	}
	filter := must(NewFilter(items))
	check(t, filter.AllowOnly([]int32{5, 6}))
	if few := must(live.TopK(3, &Search{Filter: filter})); len(few.List(0)) != 2 || few.Guaranteed != 1 {
		t.Fatal(few)
	}
	live.Reset()
	check(t, live.Push(3))
	if all := must(live.TopK(items, nil)).List(0); len(all) != items-1 {
		t.Fatal("a reset forgets what it keeps", all)
	}
	check(t, live.ExcludeOwn(false))
	if best := must(live.TopK(4, nil)); !reflect.DeepEqual(best, whole) {
		t.Fatal(best, whole)
	}
}

func TestManyLiveSessions(t *testing.T) {
	s := openShop("")
	model := s.model()
	recommender := must(NewRecommender(model, nil))
	defer recommender.Close()
	var visitors []*LiveSession
	for i := 0; i < 6; i++ {
		visitors = append(visitors, must(NewLiveSession(recommender)))
	}
	check(t, PushMany(visitors, []int32{0, 1, 2, 3, 4, 5}, 0))
	check(t, PushMany(visitors, []int32{10, 11, 12, 13, 14, 15}, 2))
	check(t, PushMany(visitors[4:], []int32{24, 25}, 1))
	lists := must(TopKMany(visitors, 4, &Search{Threads: 1}))
	for v, visitor := range visitors {
		expected := ofBatch(recommender, visitor.Items(), 4)
		if visitor.Len() != 2+v/4 || !reflect.DeepEqual(lists.List(v), expected.List(0)) {
			t.Fatal(v, visitor.Items(), lists, expected)
		}
	}

	// All are added or none.
	refused(t, PushMany(visitors, []int32{0, 1, 2, 3, 4, -5}, 0), InvalidArgument)
	refused(t, PushMany(visitors, []int32{0, 1}, 0), InvalidArgument)
	refused(t, PushMany(nil, nil, 0), InvalidArgument)
	twice := PushMany([]*LiveSession{visitors[1], visitors[1]}, []int32{0, 1}, 0)
	if !strings.Contains(twice.Error(), "comes twice") {
		t.Fatal(twice)
	}
	if again := must(TopKMany(visitors, 4, nil)); !reflect.DeepEqual(again.Items, lists.Items) {
		t.Fatal(again, lists)
	}
	stranger := must(NewLiveSession(must(NewRecommender(model, nil))))
	check(t, stranger.Push(1))
	_, err := TopKMany([]*LiveSession{visitors[0], stranger}, 4, nil)
	refused(t, err, Mismatch)
	visitors[2].Close()
	for _, sessions := range [][]*LiveSession{nil, {nil}, {visitors[0], nil}, visitors} {
		_, err = TopKMany(sessions, 4, nil)
		refused(t, err, InvalidArgument)
	}
}

func TestLiveSessionBytes(t *testing.T) {
	recommender := openRecommender()
	defer recommender.Close()
	first, second := must(NewLiveSession(recommender)), must(NewLiveSession(recommender))
	for _, item := range []int32{4, 9, 1} {
		check(t, first.Push(item))
	}
	check(t, first.Exclude([]int32{17}))
	check(t, first.ExcludeOwn(true))
	bytes := must(first.MarshalBinary())
	if len(bytes) != 48+4*4 {
		t.Fatal(len(bytes))
	}
	check(t, second.Push(29))
	check(t, second.UnmarshalBinary(bytes))
	expected := must(first.TopK(6, nil))
	bytes[50] ^= 1
	refused(t, second.UnmarshalBinary(bytes), Parse)
	refused(t, second.UnmarshalBinary(nil), InvalidArgument)
	if best := must(second.TopK(6, nil)); second.Len() != 3 || !reflect.DeepEqual(best, expected) {
		t.Fatal(best, expected)
	}
}

// A fusion comes with a call, and what it returns comes out of that.
func TestLiveSessionOutlivesItsRecommender(t *testing.T) {
	recommender := openRecommender()
	live := must(NewLiveSession(recommender))
	recommender.Close()
	_, err := NewLiveSession(recommender)
	refused(t, err, InvalidArgument)
	check(t, live.Push(3))
	calls := 0
	search := &Search{Fusion: func(tile *FusionTile) error {
		copy(tile.Fused, tile.ID)
		switch calls++; calls {
		case 2:
			return errOwn
		case 3:
			panic("fusion")
		}
		return nil
	}}
	ofID, id := must(live.TopK(2, search)), make([]float32, 2)
	check(t, live.Score(nil, id, nil, ofID.Items, nil))
	if !reflect.DeepEqual(ofID.Scores, id) {
		t.Fatal(ofID, id)
	}
	if _, err := TopKMany([]*LiveSession{live}, 2, search); !errors.Is(err, errOwn) {
		t.Fatal(err)
	}
	panics(t, "fusion", func() { live.TopK(2, search) })
	if must(live.TopK(2, nil)); calls != 3 {
		t.Fatal(calls)
	}
}

// A goroutine each, and another one in the second round; one recommender.
func TestLiveSessionsOfManyGoroutines(t *testing.T) {
	recommender := openRecommender()
	defer recommender.Close()
	visitors := make(chan *LiveSession, 16)
	for i := 0; i < cap(visitors); i++ {
		visitors <- must(NewLiveSession(recommender))
	}
	for round := 0; round < 2; round++ {
		var wait sync.WaitGroup
		for g := 0; g < cap(visitors); g++ {
			wait.Add(1)
			go func(g int) {
				defer wait.Done()
				live := <-visitors
				for item := 0; item < items; item++ {
					if err := live.Push(int32((item*11 + g) % items)); err != nil {
						t.Error(err)
					}
					sameAsBatch(t, recommender, live, 5)
				}
				visitors <- live
			}(g)
		}
		wait.Wait()
	}
	if live := <-visitors; live.Len() != 2*items {
		t.Fatal(live.Len())
	}
}
