package alterrec

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"sync"
	"testing"
	"time"
)

func fill(batch *Batch, start int) {
	if err := batch.Clear(); err != nil {
		panic(err)
	}
	for i := 0; i < 4; i++ {
		if err := batch.Add([]int32{int32((start + i) % items), int32((start + 2*i) % items)}); err != nil {
			panic(err)
		}
	}
}

func TestTopK(t *testing.T) {
	s := openShop("")
	model := s.model()
	recommender := must(NewRecommender(model, nil))
	defer recommender.Close()
	batch := must(NewBatch())
	fill(batch, 3)
	scores := make([]float32, 4*items)
	check(t, model.Score(scores, Fused, batch))
	model.Close()
	best := must(recommender.TopK(batch, 7, nil))
	for session := 0; session < 4; session++ {
		row, order := scores[session*items:], make([]int, items)
		for i := range order {
			order[i] = i
		}
		sort.SliceStable(order, func(a, b int) bool { return row[order[a]] > row[order[b]] })
		for i, item := range best.List(session) {
			if int(item) != order[i] {
				t.Fatal(session, best.List(session), order[:7])
			}
		}
	}
	_, err := recommender.TopK(batch, 0, nil)
	refused(t, err, InvalidArgument)
	_, err = recommender.TopK(batch, math.MaxInt64, nil)
	refused(t, err, InvalidArgument)

	given := make([]float32, len(best.Items))
	check(t, recommender.Score(given, nil, nil, batch, best.Items, nil))
	if !reflect.DeepEqual(given, best.Scores) {
		t.Fatal(given, best.Scores)
	}
	width := recommender.Width()
	item, sessions := make([]float32, width), make([]float32, 4*width)
	check(t, recommender.ItemVectors(item, int64(best.Items[0]), 1))
	check(t, recommender.SessionVectors(sessions, batch))
	var product float32
	for d := range item {
		product += item[d] * sessions[d]
	}
	if math.Abs(float64(product-best.Scores[0])) > 1e-3 {
		t.Fatal(product, best.Scores[0])
	}

	path := filepath.Join(t.TempDir(), "vectors.npy")
	check(t, recommender.WriteSessionVectors(batch, path))
	written := must(os.ReadFile(path))
	if !bytes.HasPrefix(written, []byte("\x93NUMPY")) || int64(len(written)) < 4*4*width {
		t.Fatal(len(written))
	}
	check(t, recommender.WriteItemVectors(path))
	if written := must(os.ReadFile(path)); int64(len(written)) < items*4*width {
		t.Fatal(len(written))
	}

	filter := must(NewFilter(items))
	shelf := make([]int32, items)
	for i := range shelf {
		shelf[i] = int32(i / places)
	}
	check(t, filter.Exclude([]int32{0, 1}))
	check(t, filter.AllowOnly([]int32{0, 1, 2, 3, 4, 10}))
	check(t, filter.AllowBitmap([]byte{255, 255, 255, 255}, items))
	check(t, filter.Cap(shelf, 2))
	few := must(recommender.TopK(batch, 5, &Search{Filter: filter, Threads: 1}))
	if len(few.List(0)) != 3 || few.Guaranteed != 4 {
		t.Fatal(few)
	}
}

func TestManyGoroutines(t *testing.T) {
	s := openShop("")
	model := s.model()
	recommender := must(NewRecommender(model, nil))
	batch := must(NewBatch())
	var alone [items][]int32
	for start := range alone {
		fill(batch, start)
		alone[start] = must(recommender.TopK(batch, 5, nil)).Items
	}
	var wait sync.WaitGroup
	for g := 0; g < 64; g++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			batch := must(NewBatch())
			for start := range alone {
				fill(batch, start)
				if best := must(recommender.TopK(batch, 5, nil)); !reflect.DeepEqual(best.Items, alone[start]) {
					t.Error(start, best.Items)
				}
			}
		}()
	}
	wait.Wait()
	// Calls that are under way come to their end; later ones are refused.
	for g := 0; g < 8; g++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			batch := must(NewBatch())
			fill(batch, 1)
			for {
				if _, err := recommender.TopK(batch, 5, nil); err != nil {
					return
				}
			}
		}()
	}
	recommender.Close()
	wait.Wait()
}

// A fusion asks the recommender that it serves, while another goroutine closes it.
func TestCloseDuringFusion(t *testing.T) {
	s := openShop("")
	recommender := must(NewRecommender(s.model(), nil))
	batch, other := must(NewBatch()), must(NewBatch())
	fill(batch, 1)
	fill(other, 2)
	closed := make(chan bool)
	search := &Search{Fusion: func(tile *FusionTile) error {
		go func() {
			recommender.Close()
			closed <- true
		}()
		time.Sleep(20 * time.Millisecond) // Close is under way, or has come through
		if _, err := recommender.TopK(other, 3, nil); err != nil {
			refused(t, err, InvalidArgument)
		}
		copy(tile.Fused, tile.ID)
		return nil
	}}
	if best := must(recommender.TopK(batch, 3, search)); len(best.Items) == 0 {
		t.Fatal(best)
	}
	<-closed
	_, err := recommender.TopK(batch, 3, nil)
	refused(t, err, InvalidArgument)
}

// Each goroutine gets its own callback's error back.
func TestFusionOfManyGoroutines(t *testing.T) {
	s := openShop("")
	model := s.model()
	recommender := must(NewRecommender(model, nil))
	search := &Search{Fusion: func(tile *FusionTile) error { return fmt.Errorf("%v", tile.ID[0]) }}
	defer recommender.Close()
	var wait sync.WaitGroup
	for g := 0; g < 32; g++ {
		wait.Add(1)
		go func(g int) {
			defer wait.Done()
			batch := must(NewBatch())
			scores := make([]float32, items)
			for i := 0; i < 10; i++ {
				batch.Clear()
				batch.Add([]int32{int32(g % items)})
				if err := model.Score(scores, ID, batch); err != nil {
					t.Error(err)
				}
				_, err := recommender.TopK(batch, 3, search)
				var seen float32
				fmt.Sscan(err.Error(), &seen)
				if math.Abs(float64(seen-scores[0])) > 1e-4 {
					t.Error(err, scores[0])
				}
			}
		}(g)
	}
	wait.Wait()
}
