package alterrec

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	items  = 30
	places = 5
)

type shop struct {
	config       *Config
	catalog      *Catalog
	train, valid *Sessions
}

// must gives the value of a call that must not fail.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, err error, status Status) {
	t.Helper()
	if !errors.Is(err, &Error{Status: status}) || err.Error() == "" {
		t.Fatalf("%v, not %v", err, status)
	}
}

func visits(catalog *Catalog, count, start int) *Sessions {
	lists := make([][]int32, count)
	for s := range lists {
		item := int32((start + s*7) % items)
		for i := 0; i < 3+s%3; i++ {
			lists[s] = append(lists[s], item)
			item = item/places*places + (item+1)%places
		}
	}
	return must(NewSessions(catalog, lists))
}

func openShop(options string) *shop {
	s := &shop{config: must(ParseConfig(`
model: {dim: 8, blocks: 1, max_len: 6, init: usual}
train: {epochs: 4, batch_size: 32}
schedule: {gap: 1, random_epochs: 1}
negatives: {k1: 2, k2: 20}
compute: {threads: 1}
`))}
	if err := s.config.ReadText(options); options != "" && err != nil {
		panic(err)
	}
	var keys, texts []string
	for i := 0; i < items; i++ {
		keys = append(keys, fmt.Sprint("item", i))
		texts = append(texts, fmt.Sprintf("shelf%d place%d", i/places, i%places))
	}
	s.catalog = must(NewCatalog(items, keys, texts))
	if err := s.catalog.HashFeatures(s.config); err != nil {
		panic(err)
	}
	s.train, s.valid = visits(s.catalog, 120, 0), visits(s.catalog, 30, 3)
	return s
}

func (s *shop) model() *Model {
	return must(NewModel(s.catalog, s.config))
}

func (s *shop) trainer(model *Model) *Trainer {
	return must(NewTrainer(model, s.train, s.valid, nil))
}

func weights(m *Model) (all []float32) {
	for _, tensor := range must(m.Tensors()) {
		count := int64(1)
		for _, size := range tensor.Shape {
			count *= size
		}
		values := make([]float32, count)
		if err := m.GetTensor(values, tensor.Name); err != nil {
			panic(err)
		}
		all = append(all, values...)
	}
	return all
}

func TestErrors(t *testing.T) {
	config := must(NewConfig())
	err := config.Set("model.dimm", 3)
	refused(t, err, NotFound)
	if !strings.Contains(err.Error(), "model.dim") {
		t.Fatal(err)
	}
	check(t, config.Set("model.dim", 12))
	if must(config.Get("model.dim")) != "12" || must(must(config.Clone()).Get("model.dim")) != "12" {
		t.Fatal("not set")
	}
	_, err = LoadModel("no such file")
	refused(t, err, IO)
	if NotFound.String() != "NOT_FOUND" || !strings.Contains(BuildInfo(), "oneDNN") {
		t.Fatal(NotFound, BuildInfo())
	}
	path := filepath.Join(t.TempDir(), "options.yaml")
	check(t, config.Write(path))
	check(t, must(NewConfig()).Read(path))
	if len(must(Options())) < 10 || must(Options())[0].Key == "" {
		t.Fatal("no options")
	}
	config.Close()
	refused(t, config.Set("model.dim", 8), InvalidArgument)
	config.Close()
}

// C would take the part before a 0 for the whole.
func TestStringsWithA0(t *testing.T) {
	const text = "model.dim\x00x"
	config, model := must(NewConfig()), openShop("").model()
	_, configErr := config.Get(text)
	_, catalogErr := NewCatalog(1, []string{text}, nil)
	_, textsErr := NewCatalog(1, nil, []string{text})
	_, readErr := ReadCatalog(text, nil)
	_, sessionsErr := ReadSessions(model.Catalog(), text, nil)
	_, modelErr := LoadModel(text)
	_, tensorErr := model.Tensor(text)
	_, openErr := OpenRecommender(text, nil)
	for i, err := range []error{config.Set(text, 3), config.Set("model.dim", "4\x00"), configErr,
		config.Read(text), config.Write(text), catalogErr, textsErr, readErr, sessionsErr,
		must(NewCatalog(1, nil, nil)).ReadFeatures(text), modelErr, tensorErr, model.Save(text),
		model.Import(text), model.SetTensor(text, nil), model.AddItems([]string{text}, nil, nil),
		model.AddItems([]string{"a"}, []string{text}, nil), openErr} {
		refused(t, err, InvalidArgument)
		if !strings.Contains(err.Error(), "holds a 0") {
			t.Fatal(i, err)
		}
	}
	if catalog := must(NewCatalog(2, nil, nil)); catalog.Find("1") != 1 || catalog.Find("1\x00") != -1 {
		t.Fatal(catalog.Find("1\x00"))
	}
	if err := config.ReadText("model: {dim: 4}\x00"); err == nil {
		t.Fatal("YAML with a 0")
	}
	if must(config.Get("model.dim")) != "300" {
		t.Fatal(config.Get("model.dim"))
	}
}

// Sizes whose product is too large to be compared with.
func TestSizesDoNotWrap(t *testing.T) {
	catalog := must(NewCatalog(4, nil, nil))
	for _, dim := range []int{1 << 62, 1<<62 + 1, 2, 0, -1, -1 << 62} {
		refused(t, catalog.SetFeatures([]float32{1, 2, 3, 4}, dim), InvalidArgument)
	}
	err := catalog.SetFeatures(nil, 1<<62)
	refused(t, err, InvalidArgument)
	if !strings.Contains(err.Error(), "not 4 *") {
		t.Fatal(err)
	}
	refused(t, must(NewFilter(4)).AllowBitmap(nil, math.MaxInt64), InvalidArgument)
	check(t, catalog.SetFeatures([]float32{1, 2, 3, 4}, 1))
}

// The text belongs to the thread that failed: goroutines must not see each other's.
func TestErrorsOfManyGoroutines(t *testing.T) {
	var wait sync.WaitGroup
	for g := 0; g < 64; g++ {
		wait.Add(1)
		go func(g int) {
			defer wait.Done()
			config := must(NewConfig())
			for i := 0; i < 50; i++ {
				key := fmt.Sprintf("nothing.g%d", g)
				if err := config.Set(key, i); !strings.Contains(err.Error(), key) {
					t.Errorf("%s: %v", key, err)
				}
			}
		}(g)
	}
	wait.Wait()
}

func TestData(t *testing.T) {
	s := openShop("")
	c := s.catalog
	if c.Items() != items || c.Key(3) != "item3" || c.Text(6) != "shelf1 place1" || c.Key(items) != "" ||
		c.Find("item4") != 4 || c.Find("spade") != -1 ||
		int64(len(c.Features())) != items*c.FeatureDim() {
		t.Fatal("catalog")
	}
	if !reflect.DeepEqual(must(s.train.Get(1)), []int32{7, 8, 9, 5}) {
		t.Fatal(s.train.Get(1))
	}
	_, err := NewPackedSessions(c, []int32{0, 1}, []int64{0, 3})
	refused(t, err, InvalidArgument)
	_, err = NewCatalog(2, []string{"cup"}, nil)
	refused(t, err, InvalidArgument)
	own := must(NewCatalog(3, nil, nil))
	check(t, own.SetFeatures([]float32{1, 2, 3, 4, 5, 6}, 2))
	refused(t, own.SetFeatures([]float32{1}, 2), InvalidArgument)
	batch := must(NewBatch())
	check(t, batch.AddLabelled([]int32{1, 2, 3}, []int32{-1, 3, 4}))
	check(t, batch.SetNegatives([]int32{5, 6, 7, 8}, 2))
	refused(t, batch.SetNegatives([]int32{5}, 2), InvalidArgument)
	refused(t, batch.Add(nil), InvalidArgument)
	check(t, batch.Exclude(-1, nil))
	if batch.Count() != 1 || batch.Examples() != 2 {
		t.Fatal("batch")
	}
}

func TestModel(t *testing.T) {
	s := openShop("")
	m := s.model()
	gains := []float32{.5, .5, .5, .5, .5, .5, .5, .5}
	check(t, m.SetTensor("id.norm.weight", gains))
	refused(t, m.SetTensor("id.norm.weight", gains[:1]), Mismatch)
	path := filepath.Join(t.TempDir(), "model.safetensors")
	check(t, m.Save(path))
	loaded, fresh := must(LoadModel(path)), s.model()
	check(t, fresh.Import(path))
	if !reflect.DeepEqual(weights(loaded), weights(m)) || !reflect.DeepEqual(weights(fresh), weights(m)) {
		t.Fatal("weights")
	}
	batch := must(NewBatch())
	check(t, batch.Add([]int32{3, 4}))
	vectors, session, scores := make([]float32, items*8), make([]float32, 8), make([]float32, items)
	check(t, m.ItemVectors(vectors, ID))
	check(t, m.SessionVectors(session, ID, batch))
	check(t, m.Score(scores, ID, batch))
	for i, score := range scores {
		var product float32
		for d := range session {
			product += session[d] * vectors[i*8+d]
		}
		if math.Abs(float64(product-score)) > 1e-4 {
			t.Fatal(i, product, score)
		}
	}
	refused(t, m.Score(scores[:3], ID, batch), InvalidArgument)
	before := m.Catalog()
	check(t, m.AddItems([]string{"new"}, []string{"shelf1 place1"}, nil))
	if m.Catalog().Find("new") != items || before.Items() != 0 {
		t.Fatal("new item")
	}
	catalog := m.Catalog()
	m.Close()
	if catalog.Items() != 0 {
		t.Fatal("a closed model lends a catalog")
	}
}

func TestCallbacks(t *testing.T) {
	s := openShop("")
	model := s.model()
	trainer := s.trainer(model)
	defer trainer.Close()
	asked, steps, filled := 0, 0, 0
	check(t, trainer.OnSchedule(func(plan *Plan, last *EpochReport) error {
		if (last == nil) != (asked == 0) {
			t.Error("last")
		}
		plan.Tower, plan.Negatives, plan.NegativeCount = Text, NegativesHost, 3
		if asked++; asked == 4 {
			return Stop
		}
		return nil
	}))
	check(t, trainer.OnProgress(func(progress *Progress) error {
		if progress.Stage == StageTrain {
			steps++
		}
		return nil
	}))
	check(t, trainer.OnNegatives(func(negatives []int32, examples *Examples, perExample int) error {
		for e, label := range examples.Labels {
			prefix := examples.Prefix(e)
			last := prefix[len(prefix)-1]
			if label != last/places*places+(last+1)%places {
				t.Error("label", label, "after", last)
			}
		}
		if len(negatives) != perExample*len(examples.Labels) {
			t.Error(len(negatives))
		}
		for i := range negatives {
			negatives[i] = 11
		}
		filled++
		return nil
	}))
	check(t, trainer.OnFusion(func(tile *FusionTile) error {
		copy(tile.Fused, tile.Text)
		return nil
	}))
	var told []string
	check(t, trainer.OnLog(func(level int32, message string) error {
		if level != LogInfo {
			t.Error(level, message)
		}
		told = append(told, message)
		return nil
	}))
	check(t, trainer.Run())
	if len(told) == 0 || !strings.HasPrefix(told[0], "epoch 0: the text tower") {
		t.Fatal(told)
	}
	report := must(trainer.Report(0))
	if asked != 4 || steps == 0 || filled == 0 || trainer.Epochs() != 3 || report.Tower != Text ||
		report.ValidMetric[0] != report.ValidMetric[2] {
		t.Fatal(asked, steps, filled, report)
	}
	check(t, trainer.OnSchedule(nil))
	check(t, trainer.OnProgress(nil))
	check(t, trainer.OnFusion(nil))
	check(t, trainer.OnLog(func(int32, string) error { return errOwn }))
	if _, err := trainer.Epoch(nil); !errors.Is(err, errOwn) {
		t.Fatal(err)
	}
	check(t, trainer.OnLog(nil))
	check(t, trainer.Run())
}

var errOwn = errors.New("the host's own")

func panics(t *testing.T, expected any, function func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if value := recover(); value != expected {
			t.Fatalf("panic %v, not %v", value, expected)
		}
	}()
	function()
}

func TestErrorsAndPanicsOfCallbacks(t *testing.T) {
	s := openShop("")
	trainer := s.trainer(s.model())
	defer trainer.Close()
	check(t, trainer.OnProgress(func(*Progress) error { return fmt.Errorf("it is %w", errOwn) }))
	if err := trainer.Run(); !errors.Is(err, errOwn) || err.Error() != "it is the host's own" {
		t.Fatal(err)
	}
	check(t, trainer.OnProgress(func(*Progress) error { panic("progress") }))
	panics(t, "progress", func() { trainer.Run() })
	check(t, trainer.OnProgress(nil))
	check(t, trainer.OnSchedule(func(*Plan, *EpochReport) error { panic(7) }))
	panics(t, 7, func() { trainer.Run() })
	check(t, trainer.OnFusion(func(*FusionTile) error { panic("fusion") }))
	panics(t, "fusion", func() { trainer.Epoch(nil) })
	check(t, trainer.OnFusion(nil))
	check(t, trainer.OnNegatives(func([]int32, *Examples, int) error { return errOwn }))
	plan := must(trainer.Plan())
	plan.Negatives, plan.NegativeCount = NegativesHost, 2
	if _, err := trainer.Epoch(plan); err != errOwn {
		t.Fatal(err)
	}
	var busy error
	check(t, trainer.OnProgress(func(*Progress) error {
		busy = trainer.OnProgress(nil)
		return nil
	}))
	if report := must(trainer.Epoch(nil)); report.Stopped != 0 {
		t.Fatal("stopped")
	}
	refused(t, busy, Busy)
}

func TestTrainingByHand(t *testing.T) {
	s := openShop("")
	byEpoch, byStep := s.model(), s.model()
	first, second := s.trainer(byEpoch), s.trainer(byStep)
	defer first.Close()
	defer second.Close()
	batch := must(NewBatch())
	must(first.Epoch(nil))
	for i := int64(0); i < second.Batches(); i++ {
		check(t, second.GetBatch(batch, i))
		if must(second.Step(batch, nil)).Examples != batch.Examples() {
			t.Fatal("examples")
		}
	}
	must(second.EndEpoch())
	path := filepath.Join(t.TempDir(), "checkpoint.safetensors")
	check(t, first.Save(path))
	must(first.Epoch(nil))
	check(t, second.Resume(path))
	must(second.Epoch(must(second.Plan())))
	check(t, first.UseBest())
	check(t, second.UseBest())
	if !reflect.DeepEqual(weights(byEpoch), weights(byStep)) {
		t.Fatal("weights")
	}
}

func TestCancel(t *testing.T) {
	s := openShop("train.epochs: 100000\ntrain.patience: 0\n")
	trainer := s.trainer(s.model())
	began := make(chan bool, 1)
	check(t, trainer.OnProgress(func(*Progress) error {
		select {
		case began <- true:
		default:
		}
		return nil
	}))
	go func() {
		<-began
		if err := trainer.Cancel(); err != nil {
			t.Error(err)
		}
	}()
	check(t, trainer.Run())
	trainer.Close()
	refused(t, trainer.Cancel(), InvalidArgument)
}

func TestEvaluation(t *testing.T) {
	s := openShop("")
	model := s.model()
	trainer := s.trainer(model)
	check(t, trainer.Run())
	trainer.Close()
	atOnce := must(Evaluate(model, s.valid, s.train, nil))
	evaluator := must(NewEvaluator(model, nil))
	defer evaluator.Close()
	calls := 0
	check(t, evaluator.OnProgress(func(*Progress) error { calls++; return nil }))
	evaluation := must(evaluator.Run(s.valid, s.train))
	check(t, evaluator.OnFusion(func(tile *FusionTile) error { copy(tile.Fused, tile.ID); return nil }))
	ofID := must(evaluator.Run(s.valid, nil))
	if must(ofID.Metric(Fused, MRR, 20, -1)) != must(evaluation.Metric(ID, MRR, 20, -1)) {
		t.Fatal("fusion")
	}
	_, err := evaluation.Metric(ID, Hits, 21, -1)
	refused(t, err, NotFound)
	if calls == 0 || evaluation.Examples() != s.valid.Interactions()-s.valid.Count() ||
		must(evaluation.Groups())[0].Low != 0 || evaluation.JSON() != atOnce.JSON() {
		t.Fatal(evaluation.JSON())
	}
	alpha, curve, err := model.ChooseAlpha(s.valid, 5, nil)
	check(t, err)
	if alpha < 0 || alpha > 1 || len(curve) != 5 {
		t.Fatal(alpha, curve)
	}
}

// Go interrupts its threads by signals, most of all while it collects garbage: a training among
// busy goroutines ends with the weights of one that is alone.
func TestTrainingUnderSignals(t *testing.T) {
	const options = "model.dim: 48\ntrain.epochs: 6\ncompute.threads: 2\n"
	s := openShop(options)
	quiet, noisy := s.model(), s.model()
	first, second := s.trainer(quiet), s.trainer(noisy)
	defer first.Close()
	defer second.Close()
	check(t, first.Run())
	end := make(chan bool)
	var wait sync.WaitGroup
	for g := 0; g < 16; g++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for garbage := 0; ; garbage++ {
				select {
				case <-end:
					return
				default:
					_ = make([]byte, 1000+garbage%1000)
				}
			}
		}()
	}
	wait.Add(1)
	go func() {
		defer wait.Done()
		for {
			select {
			case <-end:
				return
			case <-time.After(time.Millisecond):
				runtime.GC()
			}
		}
	}()
	check(t, second.Run())
	close(end)
	wait.Wait()
	if !reflect.DeepEqual(weights(quiet), weights(noisy)) {
		t.Fatal("the weights differ")
	}
}

// What nobody holds any more is collected, also what lends a catalog.
func TestCollected(t *testing.T) {
	s := openShop("")
	freed := make(chan bool, 1)
	func() {
		model := s.model()
		free := model.guard.free
		model.guard.free = func() { free(); freed <- true }
		if model.Catalog().Items() != items {
			t.Fatal("items")
		}
	}()
	for i := 0; i < 100; i++ {
		runtime.GC()
		select {
		case <-freed:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatal("the model is still there")
}
