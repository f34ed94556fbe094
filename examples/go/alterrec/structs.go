package alterrec

// #include <alterrec/alterrec.h>
import "C"

import "unsafe"

// Towers, scorers.
const (
	ID         int32 = C.ALTERREC_ID
	Text       int32 = C.ALTERREC_TEXT
	Fused      int32 = C.ALTERREC_FUSED
	Popularity int32 = C.ALTERREC_POPULARITY
)

// Negatives of a plan.
const (
	NegativesRandom int32 = C.ALTERREC_NEGATIVES_RANDOM
	NegativesHard   int32 = C.ALTERREC_NEGATIVES_HARD
	NegativesFull   int32 = C.ALTERREC_NEGATIVES_FULL
	NegativesBatch  int32 = C.ALTERREC_NEGATIVES_BATCH
	NegativesHost   int32 = C.ALTERREC_NEGATIVES_HOST
)

// Stages of progress.
const (
	StageTrain    int32 = C.ALTERREC_STAGE_TRAIN
	StageValidate int32 = C.ALTERREC_STAGE_VALIDATE
	StageEpoch    int32 = C.ALTERREC_STAGE_EPOCH
)

// Levels of the log.
const (
	LogInfo    int32 = C.ALTERREC_LOG_INFO
	LogWarning int32 = C.ALTERREC_LOG_WARNING
)

// Metrics.
const (
	Hits int32 = C.ALTERREC_HITS
	MRR  int32 = C.ALTERREC_MRR
	NDCG int32 = C.ALTERREC_NDCG
)

// The structs below have the layout of C's, so that nothing is copied field by field; what stands
// behind them fails to compile when they have not. What each field means stands in alterrec.h.

// Plan is what one epoch or step of training does.
type Plan struct {
	size            uint32
	Tower           int32
	Negatives       int32
	Stop            int32
	K1, K2          int64
	NegativeCount   int64
	PositiveCount   int64
	HardShare       float64
	Popularity      float64
	Shared          int32
	Correct         int32
	PositivesWeight float64
	LearningRate    float64
}

// EpochReport is what one epoch gave.
type EpochReport struct {
	size            uint32
	Epoch           int32
	Tower           int32
	Negatives       int32
	Examples        int64
	Steps           int64
	LearningRate    float64
	Loss            float64
	PositivesLoss   float64
	PartLoss        [2]float64
	Seconds         float64
	ValidSeconds    float64
	ValidMetric     [3]float64 // fused, ID, text
	Best            int32
	EpochsSinceBest int32
	Stopped         int32
	_               int32
}

// StepReport is what one step gave.
type StepReport struct {
	size          uint32
	Tower         int32
	Examples      int64
	Loss          float64
	PositivesLoss float64
	PartLoss      [2]float64
	Rows          int64
	Tokens        int64
	Seconds       [16]float64 // of each part
}

// Progress is where a running epoch or evaluation stands. It is valid during the callback.
type Progress struct {
	size     uint32
	Stage    int32
	Epoch    int32
	Epochs   int32
	Step     int64
	Steps    int64
	Examples int64
	Loss     float64
	Seconds  float64
	Report   *EpochReport // at StageEpoch, else nil
}

// DataReport is what a dataset's reading met.
type DataReport struct {
	size             uint32
	_                uint32
	RowsRead         int64
	RowsCondition    int64
	RowsMissing      int64
	RowsUnknownItem  int64
	InteractionsRead int64
	RepeatsDropped   int64
	RareItemsDropped int64
	RareInteractions int64
	SessionsRead     int64
	SessionsTooShort int64
	SessionsTooLong  int64
	Items            int64
	ItemsWithText    int64
	Sessions         [3]int64
	Interactions     [3]int64
}

// Each index is 0, or the program does not compile.
var zero [1]struct{}
var (
	_ = zero[unsafe.Sizeof(Plan{})-unsafe.Sizeof(C.alterrec_plan{})]
	_ = zero[unsafe.Offsetof(Plan{}.K1)-unsafe.Offsetof(C.alterrec_plan{}.k1)]
	_ = zero[unsafe.Offsetof(Plan{}.Popularity)-unsafe.Offsetof(C.alterrec_plan{}.popularity)]
	_ = zero[unsafe.Offsetof(Plan{}.Correct)-unsafe.Offsetof(C.alterrec_plan{}.correct)]
	_ = zero[unsafe.Offsetof(Plan{}.Stop)-unsafe.Offsetof(C.alterrec_plan{}.stop)]
	_ = zero[unsafe.Offsetof(Plan{}.PositiveCount)-unsafe.Offsetof(C.alterrec_plan{}.positive_count)]
	_ = zero[unsafe.Sizeof(EpochReport{})-unsafe.Sizeof(C.alterrec_epoch_report{})]
	_ = zero[unsafe.Offsetof(EpochReport{}.Loss)-unsafe.Offsetof(C.alterrec_epoch_report{}.loss)]
	_ = zero[unsafe.Offsetof(EpochReport{}.ValidMetric)-
		unsafe.Offsetof(C.alterrec_epoch_report{}.valid_metric)]
	_ = zero[unsafe.Offsetof(EpochReport{}.Stopped)-
		unsafe.Offsetof(C.alterrec_epoch_report{}.stopped)]
	_ = zero[unsafe.Sizeof(StepReport{})-unsafe.Sizeof(C.alterrec_step_report{})]
	_ = zero[unsafe.Offsetof(StepReport{}.PartLoss)-
		unsafe.Offsetof(C.alterrec_step_report{}.part_loss)]
	_ = zero[unsafe.Offsetof(StepReport{}.Seconds)-
		unsafe.Offsetof(C.alterrec_step_report{}.seconds)]
	_ = zero[unsafe.Sizeof(Progress{})-unsafe.Sizeof(C.alterrec_progress{})]
	_ = zero[unsafe.Offsetof(Progress{}.Seconds)-unsafe.Offsetof(C.alterrec_progress{}.seconds)]
	_ = zero[unsafe.Offsetof(Progress{}.Report)-unsafe.Offsetof(C.alterrec_progress{}.report)]
	_ = zero[unsafe.Sizeof(DataReport{})-unsafe.Sizeof(C.alterrec_data_report{})]
	_ = zero[unsafe.Offsetof(DataReport{}.ItemsWithText)-
		unsafe.Offsetof(C.alterrec_data_report{}.items_with_text)]
	_ = zero[unsafe.Offsetof(DataReport{}.Interactions)-
		unsafe.Offsetof(C.alterrec_data_report{}.interactions)]
)
